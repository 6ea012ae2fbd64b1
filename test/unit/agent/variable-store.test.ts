import assert from 'node:assert/strict';
import { expandMacros } from '../../agent/macros.ts';
import { VariableStore } from '../../agent/variable-store.ts';

describe('macros', () => {
  const values: Record<string, string> = { a: '1', b: '$(a)', empty: '' };
  const cases: [text: string, expanded: string][] = [
    ['$(a)-$(a)', '1-1'],
    ['$(b)', '$(a)'],
    ['$(missing) $(a)', '$(missing) 1'],
    ['$($(a))', '$(1)'],
    ['x$(empty)y', 'xy'],
    ['$() $(a', '$() $(a'],
  ];
  for (const [text, expanded] of cases) {
    it(`turns ${text} into ${expanded}`, () => {
      assert.equal(
        expandMacros(text, (name) => values[name]),
        expanded,
      );
    });
  }
});

describe('variable store', () => {
  function store() {
    const secrets: string[] = [];
    return { variables: new VariableStore((value) => secrets.push(value)), secrets };
  }

  it('looks names up without case, and keeps the last spelling', () => {
    const { variables } = store();
    variables.set('Name', 'one');
    variables.set('NAME', 'two');
    assert.equal(variables.get('name'), 'two');
    assert.deepEqual(
      variables.publicVariables().map(({ name }) => name),
      ['NAME'],
    );
  });

  it('keeps a secret variable secret, whoever sets it later', () => {
    const { variables, secrets } = store();
    variables.set('token', 'first', { secret: true });
    variables.set('Token', 'second');
    assert.deepEqual(variables.publicVariables(), []);
    assert.deepEqual(secrets, ['first', 'second']);
    assert.deepEqual(variables.exposed, []);
  });

  it('expands values that refer to others, and makes secret what took in a secret', () => {
    const { variables, secrets } = store();
    variables.set('token', 's3cret', { secret: true });
    variables.set('header', 'Bearer $(inner)');
    variables.set('inner', '$(TOKEN)!');
    assert.deepEqual(variables.recalculate(), []);
    assert.equal(variables.get('header'), 'Bearer s3cret!');
    assert.deepEqual(variables.publicVariables(), []);
    assert.ok(secrets.includes('Bearer s3cret!'));
  });

  it('leaves a cycle as it is written, and warns', () => {
    const { variables } = store();
    variables.set('a', '$(b)');
    variables.set('b', '$(a)');
    const warnings = variables.recalculate();
    assert.equal(warnings.length, 2);
    assert.match(warnings[0] ?? '', /cyclical/);
    assert.equal(variables.get('a'), '$(b)');
  });

  it('holds names of the agent read-only, others when set so, and the OIDC address never', () => {
    const { variables } = store();
    for (const name of ['Agent.TempDirectory', 'System.OidcRequestUri', 'mine', 'his']) {
      variables.set(name, 'x', { readOnly: name === 'mine' });
    }
    variables.set('mine', 'y');
    const readOnly = ['agent.tempdirectory', 'system.oidcRequestUri', 'mine', 'his', 'agent.cainfo'];
    assert.deepEqual(
      readOnly.map((name) => variables.isReadOnly(name)),
      [true, false, true, false, false],
    );
  });
});
