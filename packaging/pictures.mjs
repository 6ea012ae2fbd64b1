// `npm run pictures`: draws images/summary.png, the README's picture of a run's summary, from what `npm run demo` left in
// out/demo. It needs Debian's chromium, which nothing else here does.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import { marked } from 'marked';

const root = dirname(import.meta.dirname);
const { values } = parseArgs({
  options: {
    summary: { type: 'string', default: join(root, 'out', 'demo', 'summary.md') },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
  },
});
const widthPixels = 1000;
const picture = join(root, 'images', 'summary.png');

// What Chromium would do by itself at a start: look for updates, sync, and ask Google's hosts.
const quiet = [
  ...['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--hide-scrollbars'],
  ...['--disable-background-networking', '--disable-component-update', '--disable-sync'],
];

for (const [file, hint] of [
  [values.summary, 'npm run demo'],
  [values.chromium, 'apt-get install chromium'],
]) {
  if (!existsSync(file)) {
    console.error(`${file} is missing: ${hint}`);
    process.exit(1);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'scoped-token-pictures-'));
try {
  const page = join(folder, 'page.html');
  writeFileSync(page, pageOf(firstSummary(readFileSync(values.summary, 'utf8'))));
  const heightPixels = Number(/data-height="(\d+)"/.exec(chromium('--dump-dom', page))?.[1]);
  chromium(`--screenshot=${picture}`, page, heightPixels);
  console.log(`images/summary.png: ${widthPixels} x ${heightPixels}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** The job's first summary; the demo writes one for each use of the task, with a rule between them. */
function firstSummary(markdown) {
  return markdown.split(/^---$/m)[0] ?? '';
}

function pageOf(markdown) {
  return `<!doctype html>
<meta charset="utf-8">
<title>Extensions</title>
<style>
  body { margin: 0; padding-bottom: 18px; background: #f8f8f8; color: #222; font: 14px/1.45 'Liberation Sans', sans-serif; }
  nav { display: flex; gap: 28px; padding: 14px 24px 0; border-bottom: 1px solid #ddd; background: #fff; }
  nav span { padding-bottom: 10px; color: #666; }
  nav .here { color: #222; font-weight: bold; border-bottom: 2px solid #0078d4; }
  main { margin: 18px 24px 0; padding: 6px 20px 12px; background: #fff; border: 1px solid #e3e3e3; border-radius: 4px; }
  h2 { font-size: 17px; margin: 14px 0 8px; }
  table { border-collapse: collapse; width: 100%; }
  th, td { text-align: left; vertical-align: top; padding: 4px 8px; border-bottom: 1px solid #eaeaea; }
  th { color: #666; font-weight: normal; }
  td:first-child { width: 180px; color: #555; }
  ul { margin: 10px 0; padding-left: 20px; }
  li { margin: 3px 0; overflow-wrap: anywhere; }
  code { font: 12px/1.5 'Liberation Mono', monospace; background: #f2f2f2; padding: 1px 3px; }
</style>
<nav><span>Summary</span><span>Tests</span><span class="here">Extensions</span></nav>
<main>${marked.parse(markdown)}</main>
<script>document.documentElement.dataset.height = document.body.getBoundingClientRect().height.toFixed();</script>
`;
}

function chromium(action, page, heightPixels = 800) {
  const own = [
    `--user-data-dir=${mkdtempSync(join(folder, 'profile-'))}`,
    `--window-size=${widthPixels},${heightPixels}`,
  ];
  const browser = spawnSync(values.chromium, [...quiet, ...own, action, `file://${page}`], { encoding: 'utf8' });
  if (browser.status !== 0) throw new Error(`chromium ended with ${browser.status}: ${browser.stderr}`);
  return browser.stdout;
}
