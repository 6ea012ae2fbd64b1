import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { ledgerText, readRecords } from '../../../src/audit/ledger.ts';
import { recordProblems } from '../../../src/audit/shape.ts';
import { endDraft, intentDraft, issuedDraft, ledgerOf, randomDraft, randomOf } from './sample-records.ts';

const root = new URL('../../../', import.meta.url);
const schema = JSON.parse(readFileSync(new URL('docs/ledger.schema.json', root), 'utf8')) as object;
const matches = new Ajv({ strict: true, allErrors: true }).compile(schema);
const [record] = ledgerOf([issuedDraft]).records;
type Tree = Record<string, unknown>;

describe('readRecords', () => {
  const text = ledgerText(ledgerOf([intentDraft, issuedDraft, endDraft]));
  const lines = text.split('\n').slice(0, -1);

  it('reads the other lines when some are bad, and names these', () => {
    const bytes = Buffer.concat([
      Buffer.from(`${lines[0]}\nnoise\n\n`),
      Buffer.from([0xc3, 0x28, 0x0a]),
      Buffer.from(`${lines[1]}\r\n{"v":1}\nnull\n[]\n"x"\n${lines[2]}`),
    ]);
    const { records, problems } = readRecords(bytes);
    assert.deepEqual(
      records.map(({ seq }) => seq),
      [1, 2, 3],
    );
    assert.deepEqual(
      problems.map(({ line }) => line),
      [2, 3, 4, 6, 7, 8, 9],
    );
    assert.match(problems[3]?.reason ?? '', /recordId is missing/);
  });

  it('never throws on noise', () => {
    const random = randomOf(9);
    for (let run = 0; run < 300; run += 1) {
      const noise = Uint8Array.from({ length: Math.floor(random() * 120) }, () => random() * 256);
      assert.deepEqual(readRecords(noise).records, []);
    }
    assert.equal(readRecords('['.repeat(200_000)).problems.length, 1);
    assert.deepEqual(readRecords(''), { records: [], problems: [] });
  });

  it('lets through what a newer writer may add: a field, a code', () => {
    const newer = { ...record, added: true, outcome: { code: 'A_NEWER_CODE', added: 1 } };
    assert.deepEqual(recordProblems(newer), []);
    assert.deepEqual(recordProblems({ ...record, v: 2 }), ['v is not 1']);
  });
});

describe('docs/ledger.schema.json', () => {
  it('is made from the type as it is now', function () {
    this.timeout(30_000);
    const check = spawnSync(process.execPath, ['schema.mjs', '--check'], {
      cwd: fileURLToPath(root),
      encoding: 'utf8',
    });
    assert.equal(check.status, 0, check.stderr);
  });

  it('accepts what is written', () => {
    const random = randomOf(23);
    const drafts = [intentDraft, issuedDraft, endDraft, ...Array.from({ length: 40 }, () => randomDraft(random))];
    for (const line of ledgerText(ledgerOf(drafts)).split('\n').slice(0, -1)) {
      assert.ok(matches(JSON.parse(line)), JSON.stringify(matches.errors));
    }
  });

  /** Every object in a record, with its path. */
  function objectsIn(value: Tree, path: string[] = []): string[][] {
    const inner = Object.entries(value).flatMap(([name, entry]) =>
      typeof entry === 'object' && entry !== null && !Array.isArray(entry)
        ? objectsIn(entry as Tree, [...path, name])
        : [],
    );
    return [path, ...inner];
  }
  function changed(path: readonly string[], change: (object: Tree) => unknown): Tree {
    const copy = structuredClone(record) as unknown as Tree;
    change(path.reduce((object, name) => object[name] as Tree, copy));
    return copy;
  }

  it('and the reader agree on every field: what is missing, what is of a wrong type', () => {
    let compared = 0;
    for (const path of objectsIn(record as unknown as Tree)) {
      const fields = path.reduce((object, name) => object[name] as Tree, record as unknown as Tree);
      for (const name of Object.keys(fields)) {
        const variants = [
          changed(path, (object) => delete object[name]),
          ...[null, 7.5, -1, 'invented word', ['x'], [1], {}, true].map((other) =>
            changed(path, (object) => Object.assign(object, { [name]: other })),
          ),
        ];
        for (const variant of variants) {
          const where = `${[...path, name].join('.')}: ${JSON.stringify(variant)}`;
          assert.equal(recordProblems(variant).length === 0, matches(variant), where);
          compared += 1;
        }
      }
    }
    assert.ok(compared > 400);
    assert.equal(matches(changed(['issuer'], (issuer) => Object.assign(issuer, { ids: { a: 1 } }))), false);
  });

  it('refuses a field that the type does not have', () => {
    for (const path of objectsIn(record as unknown as Tree).filter((names) => names.at(-1) !== 'ids')) {
      assert.equal(matches(changed(path, (object) => Object.assign(object, { added: 'x' }))), false, path.join('.'));
    }
  });
});
