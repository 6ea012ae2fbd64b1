// Stands for the script that the agent runs inside a job container: it reads one JSON line, takes over the environment
// and starts the handler. A handler that a signal ended has no exit code, and this ends with 0 then, as the agent's does.
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

const debug = (message) => console.log(`##vso[task.debug]${message}`);

const { args, workDir, environment, prependPath } = JSON.parse(await text(process.stdin));
debug(`Handler: ${process.execPath}`);
debug(`HandlerArg: ${args}`);
debug(`HandlerWorkDir: ${workDir}`);
for (const [name, value] of Object.entries(environment)) {
  debug(`Set env: ${name}=${value.replaceAll('\r', '%0D').replaceAll('\n', '%0A')}`);
  process.env[name] = value;
}
if (prependPath !== '') {
  process.env.PATH = process.env.PATH ? `${prependPath}:${process.env.PATH}` : prependPath;
}
process.env.TF_BUILD = 'True';
debug('Handler Setup Complete');
const handler = spawn(process.execPath, [args], { stdio: 'inherit', cwd: workDir });
handler.on('exit', (code) => {
  debug(`Handler exit code: ${code}`);
  if (code !== null && code !== 0) {
    process.exit(code);
  }
});
