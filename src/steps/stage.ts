import { ScopedTokenError } from '../errors.ts';
import type { Io } from '../io/io.ts';
import type { NetworkSettings } from '../io/routes.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';

/** What a stage of a task works with. */
export interface Stage {
  readonly pipeline: Pipeline;
  readonly io: Io;
  /** Pipeline variables for which the network is not to be trusted; only a clean-up runs with any. */
  readonly refusedVariables: readonly string[];
}

/** The network as the agent is configured. `Agent.SkipCertValidation` is not read: checks are never switched off. */
export function networkSettings(pipeline: Pipeline): NetworkSettings {
  const proxyUrl = pipeline.variable('Agent.ProxyUrl');
  const proxyUsername = pipeline.variable('Agent.ProxyUsername');
  const proxyPassword = pipeline.secretVariable('Agent.ProxyPassword');
  const proxyBypassList = pipeline.variable('Agent.ProxyBypassList');
  const caFile = pipeline.variable('Agent.CAInfo');
  return {
    ...(proxyUrl ? { proxyUrl } : {}),
    ...(proxyUsername ? { proxyUsername } : {}),
    ...(proxyPassword ? { proxyPassword } : {}),
    ...(proxyBypassList ? { proxyBypassList } : {}),
    ...(caFile ? { caFile } : {}),
    mask: (value) => pipeline.mask(value),
    warn: (message) => pipeline.warning('PROXY_SETTINGS', message),
  };
}

/** Any failure as one of ours; what we do not know becomes INTERNAL, its details stay private. */
export function asScopedTokenError(error: unknown): ScopedTokenError {
  if (error instanceof ScopedTokenError) return error;
  const kind = error instanceof Error ? error.name : typeof error;
  return new ScopedTokenError(
    'INTERNAL',
    {
      happened: `The task failed in a way that it does not know (${kind}).`,
      why: 'This is a fault of the task, not of the pipeline.',
      next: 'Run again with system.debug set to true, and report the log.',
    },
    { cause: error },
  );
}
