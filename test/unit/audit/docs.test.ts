import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ledgerText } from '../../../src/audit/ledger.ts';
import { endDraft, intentDraft, issuedDraft, ledgerOf } from './sample-records.ts';

const docs = new URL('../../../docs/', import.meta.url);
const page = readFileSync(new URL('audit.md', docs), 'utf8');

interface Schema {
  readonly $ref?: string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly definitions?: Readonly<Record<string, Schema>>;
}

describe('docs/audit.md', () => {
  it('has every field of a record in its table, and no other', () => {
    const schema = JSON.parse(readFileSync(new URL('ledger.schema.json', docs), 'utf8')) as Schema;
    const pathsOf = (node: Schema, prefix: string): string[] =>
      Object.entries(node.properties ?? {}).flatMap(([name, field]) => {
        const inner = schema.definitions?.[field.$ref?.split('/').at(-1) ?? ''];
        return inner?.properties ? pathsOf(inner, `${prefix}${name}.`) : [prefix + name];
      });
    const table = page.split('## What a record holds')[1]?.split('No record holds')[0] ?? '';
    const rows = table.split('\n').filter((line) => line.startsWith('| `'));
    const named = rows.flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, name]) => name));
    assert.deepEqual(named.toSorted(), pathsOf(schema, '').toSorted());
  });

  it('has a recipe for the shell that gives a hash twice', function () {
    this.timeout(20_000);
    const recipe = [...page.matchAll(/```bash\n(.*?)```/gs)]
      .map(([, code]) => code)
      .find((code) => code?.includes('sha256sum'));
    const folder = mkdtempSync(join(tmpdir(), 'scoped-token-docs-'));
    try {
      const ledger = ledgerOf([intentDraft, { ...issuedDraft, purpose: 'quotes " and ,"hash":"x"} \\ %s' }, endDraft]);
      writeFileSync(join(folder, 'ledger.jsonl'), ledgerText(ledger));
      const { stdout, stderr } = spawnSync('bash', ['-eu', '-c', recipe ?? 'false'], { cwd: folder, encoding: 'utf8' });
      const hash = ledger.records[1]?.hash;
      assert.equal(stdout, `${hash}\n${hash}\n`, stderr);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
