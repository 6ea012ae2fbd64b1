/** Installs what the tests and the demo need from Debian: real servers and real clients. */
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { type DebianProgram, debianProgram } from './servers/debian.ts';

const PROGRAMS: readonly DebianProgram[] = ['docker-registry', 'skopeo', 'curl'];
const CERTIFICATES_FILE = '/etc/ssl/certs/ca-certificates.crt';

/** Why a program is missing, in words for the person who runs this; undefined when it is there. */
export function missingReason(name: DebianProgram): string | undefined {
  const state = debianProgram(name);
  if (state.available) {
    return undefined;
  }
  return `${state.reason} (${installObstacle() ?? 'apt-get could not install it'})`;
}

/**
 * Installs the Debian packages that are missing, when this is Debian and we are root; says in a line what it does, or why
 * it cannot. Never fails: what stays missing is a reason to skip.
 */
export function installDebianPackages(say: (line: string) => void): void {
  const missing = missingPackages();
  if (missing.length === 0) {
    return;
  }
  const obstacle = installObstacle();
  if (obstacle !== undefined) {
    say(`Not installed from Debian, because ${obstacle}: ${missing.join(', ')}`);
    return;
  }
  say(`Installing from Debian, with apt-get: ${missing.join(', ')}`);
  let complaint = '';
  withoutStartingServices(() => {
    complaint = aptGet('install', '--yes', '--no-install-recommends', ...missing);
    if (complaint !== '') {
      // A fresh machine has no package lists, or old ones.
      aptGet('update');
      complaint = aptGet('install', '--yes', '--no-install-recommends', ...missing);
    }
  });
  const still = missingPackages();
  if (still.length > 0) {
    say(`apt-get could not install ${still.join(', ')}: ${complaint || 'it ended without an error'}`);
  }
}

function missingPackages(): readonly string[] {
  const programs: string[] = PROGRAMS.filter((name) => !debianProgram(name).available);
  return existsSync(CERTIFICATES_FILE) ? programs : [...programs, 'ca-certificates'];
}

function installObstacle(): string | undefined {
  if (!existsSync('/usr/bin/apt-get')) {
    return 'this is not Debian';
  }
  return process.getuid?.() === 0 ? undefined : 'only root may install packages';
}

// Empty when it went well, else the last line of what apt-get complained of.
function aptGet(...commandLine: readonly string[]): string {
  const result = spawnSync('/usr/bin/apt-get', ['-qq', '-o', 'DPkg::Lock::Timeout=600', ...commandLine], {
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  });
  return result.status === 0 ? '' : (result.stderr.trim().split('\n').at(-1) ?? '') || 'it says no more';
}

// Debian starts a server as soon as it is installed, unless this file forbids it. Nobody who runs tests asked for that.
function withoutStartingServices(install: () => void): void {
  const policy = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policy);
  if (isOurs) {
    writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  }
  try {
    install();
  } finally {
    if (isOurs) {
      rmSync(policy, { force: true });
    }
  }
}
