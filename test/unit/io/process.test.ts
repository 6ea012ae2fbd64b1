import assert from 'node:assert/strict';
import { runChild } from './child.ts';

const from = "from './src/io/process.ts';";

describe('this process', () => {
  it('copies its environment', async () => {
    const script = `import { processEnvironment } ${from}
      const copy = processEnvironment();
      process.env.LATER = 'x';
      console.log(copy.EARLIER, copy.LATER, copy.toString === Object.prototype.toString);`;
    const { stdout } = await runChild(script, { environment: { EARLIER: 'yes' } });
    assert.equal(stdout, 'yes undefined true\n');
  });

  it('prints lines, and ends with the exit code although something holds it, once all is written out', async () => {
    const script = `import { endProcess, printLines } ${from}
      setInterval(() => undefined, 1000);
      process.exitCode = 3;
      printLines(['first', 'x'.repeat(500000), 'last']);
      endProcess();`;
    const { status, stdout } = await runChild(script);
    assert.equal(status, 3);
    assert.deepEqual(
      stdout.split('\n').map((line) => line.length),
      [5, 500_000, 4, 0],
    );
  });

  it('ends with 0 where no exit code was set', async () => {
    const script = `import { endProcess } ${from}
      setInterval(() => undefined, 1000);
      endProcess();`;
    assert.equal((await runChild(script)).status, 0);
  });

  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    it(`notes ${name} as cancellation, and lives on to say what it left`, async () => {
      const script = `import { cancellationSignal } ${from}
        const signal = cancellationSignal();
        const held = setInterval(() => undefined, 1000);
        signal.addEventListener('abort', () => { console.log('aborted'); clearInterval(held); });
        console.log('ready', signal.aborted);`;
      const result = await runChild(script, {
        onOutput: (text, child) => {
          if (text.includes('ready')) child.kill(name);
        },
      });
      assert.deepEqual([result.stdout, result.status, result.signal], ['ready false\naborted\n', 0, null]);
    });
  }
});

describe('a command line program', () => {
  const program = `import { runAsProcess } from './src/io/command-world.ts';
    await runAsProcess(async (words, world) => {
      world.write(JSON.stringify({ words, input: new TextDecoder().decode(await world.readInput()) }));
      world.writeError('an error');
      await world.readFile('/absent/file').catch((error) => world.write(error.code));
      world.write(String((await world.readFile('package.json')).length > 100));
      return 4;
    });`;

  it('gets words and streams, and gives its exit status', async () => {
    const result = await runChild(program, { words: ['verify', '--x'], input: 'ü' });
    // the words of `node -e` begin one place earlier than those of a program's file
    const words = result.stdout.includes('"verify"') ? ['verify', '--x'] : ['--x'];
    assert.equal(result.stdout, `${JSON.stringify({ words, input: 'ü' })}ENOENTtrue`);
    assert.equal(result.stderr, 'an error');
    assert.equal(result.status, 4);
  });

  it('does not mind a reader that stops early', async () => {
    const endless = `import { runAsProcess } from './src/io/command-world.ts';
      await runAsProcess(async (words, world) => {
        for (let count = 0; count < 200; count += 1) {
          world.write('x'.repeat(100000));
          await new Promise((resolve) => setImmediate(resolve));
        }
        return 5;
      });`;
    const result = await runChild(endless, { onOutput: (_text, child) => child.stdout?.destroy() });
    assert.deepEqual([result.status, result.signal, result.stderr], [5, null, '']);
  });
});
