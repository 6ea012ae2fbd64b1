/** One entry of a registry token's `access` claim. */
export interface RegistryAccess {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** What a principal may do in a registry: actions by repository. */
export type RegistryRole = ReadonlyMap<string, readonly string[]>;

/** Reads `scope` values (`repository:NAME:a,b`), each of which may hold several separated by blanks. */
export function parseScopes(values: readonly string[]): readonly RegistryAccess[] {
  const scopes = values.flatMap((value) => value.split(' ')).filter(Boolean);
  const parsed: RegistryAccess[] = [];
  for (const scope of scopes) {
    const [, type, name, actions] = /^([a-z-]+(?:\([a-z]+\))?):(.+):([^:]*)$/.exec(scope) ?? [];
    if (type && name) parsed.push({ type, name, actions: (actions ?? '').split(',').filter(Boolean) });
  }
  return parsed;
}

/** Asked and allowed together: fewer actions are granted without a word, and an entry without actions is left out. */
export function grantedAccess(asked: readonly RegistryAccess[], role: RegistryRole): readonly RegistryAccess[] {
  const granted: RegistryAccess[] = [];
  for (const entry of asked) {
    const allowed =
      entry.type === 'repository' ? (role.get(entry.name) ?? []) : (role.get(`${entry.type}:${entry.name}`) ?? []);
    const actions = entry.actions.filter((action) => allowed.includes(action));
    if (actions.length > 0) granted.push({ ...entry, actions });
  }
  return granted;
}

/** A role that an access token's own entries allow: what it can be exchanged for is never more than it has. */
export function roleOfAccess(access: readonly RegistryAccess[]): RegistryRole {
  return new Map(
    access.map((entry) => [entry.type === 'repository' ? entry.name : `${entry.type}:${entry.name}`, entry.actions]),
  );
}
