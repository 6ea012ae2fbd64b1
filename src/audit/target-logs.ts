import { parseScopes } from '../token/scope.ts';
import type { TokenFacts, What, Who } from './record.ts';

/** A query for Azure Monitor Logs, in the Kusto language. */
export interface TargetQuery {
  /** The table that it reads. A target writes it only when its diagnostic settings send it to a workspace. */
  readonly table: string;
  /** What it finds. */
  readonly finds: string;
  /** Several lines; no foreign text in it but as an escaped literal. */
  readonly kql: string;
}

/** The facts of a token that a query is made of. */
export interface QueryFacts {
  readonly who: Who;
  readonly what: What;
  readonly token?: TokenFacts;
  /** RFC 3339, UTC. */
  readonly askedOn: string;
  readonly issuedOn?: string;
  readonly ids: Readonly<Record<string, string>>;
}

/** More are not named in a query: it finds what was done in any repository then. */
const mostRepositories = 40;

/** Before the first record and after the expiry, for clocks that differ. */
const marginMilliseconds = 5 * 60 * 1000;

/**
 * A Kusto string literal. All but letters, digits and a few harmless signs are written as `\uXXXX`, so that no foreign text
 * ends the literal, and none means anything to Markdown or to the agent either.
 *
 * @see https://learn.microsoft.com/kusto/query/scalar-data-types/string
 */
export function kqlText(value: string): string {
  const safe = value.replace(
    /[^A-Za-z0-9 .,:;/=+()?%_-]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return `"${safe}"`;
}

/** Queries that show how a token was used at its target; none for a target whose log this version does not know. */
export function targetQueries(facts: QueryFacts): TargetQuery[] {
  if (facts.what.target === 'storage') return [blobQuery(facts)];
  if (facts.what.target === 'containerRegistry') return registryQueries(facts);
  return [];
}

/** The query that finds the sign-in of the identity behind a token; none when the records hold no id of it. */
export function signInQueries(facts: QueryFacts): TargetQuery[] {
  const correlation = idNamed(facts.ids, 'clientrequestid', 'correlationid');
  const uti = facts.token?.uti;
  const tests = [
    ...(correlation === undefined ? [] : [`CorrelationId == ${kqlText(correlation)}`]),
    ...(uti === undefined ? [] : [`UniqueTokenIdentifier == ${kqlText(uti)}`]),
  ];
  if (tests.length === 0) return [];
  return [
    {
      table: 'AADServicePrincipalSignInLogs',
      finds: 'the sign-in at Entra',
      kql: query('union isfuzzy=true AADServicePrincipalSignInLogs, AADManagedIdentitySignInLogs', [
        timeRange(facts),
        tests.join(' or '),
      ]),
    },
  ];
}

function blobQuery(facts: QueryFacts): TargetQuery {
  const account = /^https:\/\/([a-z0-9]{3,24})\./i.exec(facts.what.resource)?.[1];
  const scid = idNamed(facts.ids, 'scid');
  const path = resourcesOf(facts.what)[0];
  const wanted = scid === undefined ? path && `/${encoded(path.replace(/\*\*$/, ''))}` : `scid=${scid}`;
  return {
    table: 'StorageBlobLogs',
    finds: scid === undefined ? 'requests with a user delegation signature in its time and place' : 'requests with it',
    kql: query('StorageBlobLogs', [
      timeRange(facts),
      account === undefined ? undefined : `AccountName =~ ${kqlText(account)}`,
      'AuthenticationType == "DelegationSas"',
      wanted === undefined ? undefined : `Uri contains ${kqlText(wanted)}`,
      '| project TimeGenerated, OperationName, StatusCode, StatusText, Uri, CallerIpAddress, UserAgentHeader',
    ]),
  };
}

function registryQueries(facts: QueryFacts): TargetQuery[] {
  const repositories = resourcesOf(facts.what);
  const server = `LoginServer =~ ${kqlText(facts.what.resource.replace(/^https:\/\//i, '').replace(/\/.*$/s, ''))}`;
  const identities = [facts.who.clientId, facts.who.objectId].filter((id) => id !== undefined);
  const identity = identities.length > 0 ? `Identity in~ (${identities.map(kqlText).join(', ')})` : undefined;
  return [
    {
      table: 'ContainerRegistryRepositoryEvents',
      finds: 'pulls, pushes and deletions in its time and repositories',
      kql: query('ContainerRegistryRepositoryEvents', [
        timeRange(facts),
        server,
        repositories.length > 0 && repositories.length <= mostRepositories
          ? `Repository in~ (${repositories.map(kqlText).join(', ')})`
          : undefined,
        '| project TimeGenerated, OperationName, Repository, Tag, Digest, ResultType, Identity, CallerIpAddress, UserAgent',
      ]),
    },
    {
      table: 'ContainerRegistryLoginEvents',
      finds: 'sign-ins at the registry by its identity',
      kql: query('ContainerRegistryLoginEvents', [timeRange(facts), server, identity]),
    },
  ];
}

/** Conditions become `where` lines; a line that begins with `|` stands as it is. */
function query(table: string, conditions: readonly (string | undefined)[]): string {
  const lines = conditions.filter((condition) => condition !== undefined);
  return [table, ...lines.map((line) => (line.startsWith('|') ? line : `| where ${line}`))].join('\n');
}

function timeRange(facts: QueryFacts): string | undefined {
  const start = Date.parse(facts.token?.issuedOn ?? facts.askedOn);
  const end = Date.parse(facts.token?.expiresOn ?? facts.issuedOn ?? facts.askedOn);
  if (Number.isNaN(start) || Number.isNaN(end)) return undefined;
  return `TimeGenerated between (${datetime(start - marginMilliseconds)} .. ${datetime(end + marginMilliseconds)})`;
}

const datetime = (milliseconds: number) => `datetime(${new Date(milliseconds).toISOString()})`;

/** Ids are found whatever way their name is written: `client-request-id`, `clientRequestId`, `CLIENT_REQUEST_ID`. */
function idNamed(ids: Readonly<Record<string, string>>, ...names: readonly string[]): string | undefined {
  const plain = new Map(Object.entries(ids).map(([name, id]) => [name.toLowerCase().replace(/[^a-z0-9]/g, ''), id]));
  return names.map((name) => plain.get(name)).find((id) => id !== undefined && id !== '');
}

function resourcesOf(what: What): string[] {
  const lines = what.granted && what.granted.length > 0 ? what.granted : what.asked;
  const resources = lines.flatMap((line) => parseScopes(line).scopes).map(({ resource }) => resource);
  return [...new Set(resources.filter((resource) => resource !== undefined))];
}

/** As a path stands in a URL. */
function encoded(path: string): string {
  try {
    return encodeURI(path);
  } catch {
    return path; // a lone surrogate; no blob has such a name
  }
}
