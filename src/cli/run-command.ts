import { plainText } from '../audit/plain-text.ts';
import type { CommandWorld } from '../io/command-world.ts';
import { type Command, exitStatus, UsageError } from './command.ts';
import { ledgerVerify } from './ledger-verify.ts';

/** Every command of the tool. */
const commands: readonly Command[] = [ledgerVerify];

/**
 * The command line tool for engineers and auditors: finds the command that the first words name and runs it.
 *
 * @returns the exit status.
 */
export async function runCommand(words: readonly string[], world: CommandWorld): Promise<number> {
  const command = commands.find(({ name }) => name.split(' ').every((part, index) => words[index] === part));
  if (!command) return overview(words, world);
  const own = words.slice(command.name.split(' ').length);
  if (own.includes('--help') || own.includes('-h')) {
    world.write(command.usage);
    return exitStatus.good;
  }
  try {
    return await command.run(own, world);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    world.writeError(`${command.name}: ${plainText(error.message)}\n\n${command.usage}`);
    return exitStatus.unusable;
  }
}

function overview(words: readonly string[], world: CommandWorld): number {
  const lines = commands.map(({ name, purpose }) => `  ${name.padEnd(16)}${purpose}`);
  const text = `Usage: npm run cli -- COMMAND …\n\n${lines.join('\n')}\n\nCOMMAND --help tells more.\n`;
  if (words[0] === '--help' || words[0] === '-h') {
    world.write(text);
    return exitStatus.good;
  }
  const what = words.length === 0 ? 'no command given' : `unknown command "${plainText(words.slice(0, 2).join(' '))}"`;
  world.writeError(`${what}\n\n${text}`);
  return exitStatus.unusable;
}
