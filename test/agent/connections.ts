import { readFileSync } from 'node:fs';
import type { Connection } from './job-server.ts';
import { PipelineRefused } from './refusal.ts';
import { isMap, readYaml, refuseUnknownKeys, scalarText, textMap, type YamlMap } from './yaml-shape.ts';

const keys = ['id', 'name', 'type', 'url', 'scheme', 'parameters', 'data', 'issuer'];
const guid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const emptyGuid = /^[0-]+$/;

function requiredText(entry: YamlMap, key: string, place: [string, string[]]): string {
  const text = scalarText(entry[key])?.trim() ?? '';
  if (text === '') {
    place[1].push(`${place[0]}.${key}: missing`);
  }
  return text;
}

function readIssuer(value: unknown, place: [string, string[]]): Pick<Connection, 'issuer'> {
  if (value === undefined) {
    return {};
  }
  if (value === 'azureDevOps' || value === 'entra') {
    return { issuer: value };
  }
  place[1].push(`${place[0]}.issuer: expected azureDevOps or entra`);
  return {};
}

function readConnection(entry: YamlMap, place: [string, string[]]): Connection {
  const [where, mistakes] = place;
  refuseUnknownKeys(entry, keys, place);
  const id = requiredText(entry, 'id', place).toLowerCase();
  if (id !== '' && (!guid.test(id) || emptyGuid.test(id))) {
    mistakes.push(`${where}.id: expected a GUID that is not all zeros, found '${id}'`);
  }
  const url = requiredText(entry, 'url', place);
  if (url !== '' && !URL.canParse(url)) {
    mistakes.push(`${where}.url: not an absolute URL`);
  }
  return {
    id,
    name: requiredText(entry, 'name', place),
    type: requiredText(entry, 'type', place),
    url,
    scheme: requiredText(entry, 'scheme', place),
    parameters: textMap(entry['parameters'], `${where}.parameters`, mistakes),
    data: textMap(entry['data'], `${where}.data`, mistakes),
    ...readIssuer(entry['issuer'], place),
  };
}

function refuseDoubles(connections: readonly Connection[], mistakes: string[]): void {
  for (const [index, connection] of connections.entries()) {
    for (const earlier of connections.slice(0, index)) {
      if (connection.id !== '' && connection.id === earlier.id) {
        mistakes.push(`connections[${index}].id: used before`);
      }
      if (connection.name !== '' && connection.name.toLowerCase() === earlier.name.toLowerCase()) {
        mistakes.push(`connections[${index}].name: used before`);
      }
    }
  }
}

/**
 * Reads the text of a connections file: `connections:` and under it one entry a service connection.
 * @throws PipelineRefused with every mistake of the file
 */
export function parseConnections(text: string): readonly Connection[] {
  const mistakes: string[] = [];
  const root = readYaml(text, mistakes);
  const list = isMap(root) ? root['connections'] : undefined;
  if (mistakes.length === 0 && !Array.isArray(list)) {
    mistakes.push('expected a list under the key connections');
  }
  const connections: Connection[] = [];
  for (const [index, entry] of (Array.isArray(list) ? list : []).entries()) {
    const where = `connections[${index}]`;
    if (isMap(entry)) {
      connections.push(readConnection(entry, [where, mistakes]));
    } else {
      mistakes.push(`${where}: expected a map`);
    }
  }
  refuseDoubles(connections, mistakes);
  if (mistakes.length > 0) {
    throw new PipelineRefused(mistakes.map((mistake) => `connections file: ${mistake}`));
  }
  return connections;
}

/** {@link parseConnections} of a file. */
export function readConnections(path: string): readonly Connection[] {
  return parseConnections(readFileSync(path, 'utf8'));
}
