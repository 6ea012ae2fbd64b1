import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { CommandArea, CommandContext } from './commands.ts';
import type { LoggingCommand } from './logging-command.ts';

function publishText(context: CommandContext, command: LoggingCommand): void {
  const kind = `${command.area}.${command.event}`.toLowerCase();
  context.job.published.push({ kind, name: command.data, content: command.data });
}

function publishFiles(context: CommandContext, path: string, target: { kind: string; name: string }): void {
  if (!existsSync(path)) {
    throw new Error(`Path does not exist: ${path}`);
  }
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path)) {
      publishFiles(context, join(path, name), { ...target, name: `${target.name}/${name}` });
    }
    return;
  }
  context.job.published.push({ ...target, content: readFileSync(path) });
}

const outsideRestrictedMode = false;

/** `build.*`: none of them works in restricted mode. */
export const buildCommands: CommandArea = {
  addbuildtag: { allowedWhenRestricted: outsideRestrictedMode, run: publishText },
  updatebuildnumber: {
    allowedWhenRestricted: outsideRestrictedMode,
    run(context, command) {
      publishText(context, command);
      context.job.variables.set('build.buildNumber', command.data);
    },
  },
  uploadlog: {
    allowedWhenRestricted: outsideRestrictedMode,
    run(context, command) {
      const path = context.job.paths.toHost(command.data);
      publishFiles(context, path, { kind: 'build.uploadlog', name: basename(path) });
    },
  },
};

/** `artifact.*`. */
export const artifactCommands: CommandArea = {
  upload: {
    allowedWhenRestricted: outsideRestrictedMode,
    run(context, command) {
      const artifact = command.properties.get('artifactname');
      if (artifact === undefined) {
        throw new Error('Artifact name is required.');
      }
      const path = context.job.paths.toHost(command.data);
      publishFiles(context, path, { kind: 'artifact.upload', name: `${artifact}/${basename(path)}` });
    },
  },
  associate: { allowedWhenRestricted: outsideRestrictedMode, run: publishText },
};

/** `telemetry.publish` is the one command outside `task.*` that restricted mode lets through. */
export const telemetryCommands: CommandArea = {
  publish: { allowedWhenRestricted: true, run: publishText },
};
