// Writes docs/ledger.schema.json from the type AuditRecord; with --check, says whether the file is stale.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createGenerator } from 'ts-json-schema-generator';

const pathOf = (name) => fileURLToPath(new URL(name, import.meta.url));
const target = pathOf('docs/ledger.schema.json');

function schemaText() {
  const generator = createGenerator({
    path: pathOf('src/audit/record.ts'),
    tsconfig: pathOf('tsconfig.json'),
    type: 'AuditRecord',
    // types are checked by the repository's own compiler, which is newer than the generator's
    skipTypeCheck: true,
    topRef: false,
    expose: 'export',
    jsDoc: 'extended',
    additionalProperties: false,
    sortProps: false,
  });
  const { $schema, description, ...rest } = generator.createSchema('AuditRecord');
  const schema = { $schema, title: 'Scoped Token ledger, one line (version 1)', description, ...rest };
  return `${JSON.stringify(schema, undefined, 2)}\n`;
}

const text = schemaText();
if (process.argv.includes('--check')) {
  const written = await readFile(target, 'utf8').catch(() => '');
  if (written !== text) {
    console.error('docs/ledger.schema.json does not match src/audit/record.ts; run: npm run schema');
    process.exitCode = 1;
  }
} else {
  await writeFile(target, text);
}
