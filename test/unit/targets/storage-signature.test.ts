import assert from 'node:assert/strict';
import type { UserDelegationKey } from '@azure/storage-blob';
import { readStorageRights, type StorageRights } from '../../../src/targets/storage/scopes.ts';
import { signedQuery, signedVersion } from '../../../src/targets/storage/signature.ts';
import { scopesOf } from './scopes-of.ts';
import { expectedSignature } from './signed-fields.ts';

const key: UserDelegationKey = {
  signedObjectId: 'aaaaaaaa-1111-4111-8111-111111111111',
  signedTenantId: 'bbbbbbbb-1111-4111-8111-111111111111',
  signedStartsOn: new Date('2026-03-01T11:55:00Z'),
  signedExpiresOn: new Date('2026-03-01T13:00:00Z'),
  signedService: 'b',
  signedVersion: '2022-11-02',
  value: Buffer.from('a key of thirty-two bytes, about').toString('base64'),
};

const rightsOf = (text: string): StorageRights => {
  const { rights, mistakes } = readStorageRights(scopesOf(text));
  assert.deepEqual(mistakes, []);
  assert.ok(rights);
  return rights;
};

const sign = (text: string, correlationId?: string) =>
  signedQuery(
    {
      accountName: 'contoso',
      rights: rightsOf(text),
      startsOn: new Date('2026-03-01T11:55:00Z'),
      expiresOn: new Date('2026-03-01T12:30:00Z'),
      ...(correlationId ? { correlationId } : {}),
    },
    key,
  );

const rows = [
  ['read,list on logs', 'logs', 'c', 'rl'],
  ['filterByTags,setImmutabilityPolicy,permanentDelete,deleteVersion,read on logs', 'logs', 'c', 'rxiyf'],
  ['read on logs/2026/app.json', 'logs/2026/app.json', 'b', 'r'],
  ['tag,move,execute,write on logs/Ä ö/100%/a+b&c=d?.json', 'logs/Ä ö/100%/a+b&c=d?.json', 'b', 'wtme'],
  ['read,list on logs/2026/**', 'logs/2026', 'd', 'rl'],
  ['manageAccessControl,manageOwnership,add,create,delete on logs/a b/c/d/**', 'logs/a b/c/d', 'd', 'acdop'],
] as const;

describe('a user delegation signature', () => {
  for (const [text, path, kind, letters] of rows) {
    it(`is what the service computes from its fields: ${text}`, async () => {
      for (const correlationId of ['cccccccc-1111-4111-8111-111111111111', undefined]) {
        const query = await sign(text, correlationId);
        const fields = new URLSearchParams(query);
        assert.equal(fields.get('sig'), expectedSignature(query, { account: 'contoso', path, keyValue: key.value }));
        assert.equal(fields.get('sr'), kind);
        assert.equal([...(fields.get('sp') ?? '')].sort().join(''), [...letters].sort().join(''));
        assert.equal(fields.get('scid'), correlationId ?? null);
      }
    });
  }

  it('differs for every other path, letter, account, time and key', async () => {
    const query = await sign('read on logs/a.json');
    const parts = { account: 'contoso', path: 'logs/a.json', keyValue: key.value };
    const own = new URLSearchParams(query).get('sig');
    assert.equal(expectedSignature(query, parts), own);
    const others = [
      expectedSignature(query, { ...parts, path: 'logs2/a.json' }),
      expectedSignature(query, { ...parts, path: 'logs/A.json' }),
      expectedSignature(query, { ...parts, account: 'fabrikam' }),
      expectedSignature(query.replace('sp=r', 'sp=rw'), parts),
      expectedSignature(query.replace('12%3A30', '12%3A31'), parts),
      expectedSignature(query, { ...parts, keyValue: Buffer.from('another key').toString('base64') }),
    ];
    assert.equal(new Set([...others, own]).size, others.length + 1);
  });

  it('holds the declared times, https alone, the pinned version, and nothing that was not declared', async () => {
    for (const [text, , kind] of rows) {
      const query = await sign(text, 'id-1');
      assert.ok(!query.startsWith('?'));
      const fields = new URLSearchParams(query);
      assert.equal(fields.get('spr'), 'https');
      assert.equal(fields.get('sv'), signedVersion);
      assert.equal(signedVersion, '2022-11-02');
      assert.equal(fields.get('st'), '2026-03-01T11:55:00Z');
      assert.equal(fields.get('se'), '2026-03-01T12:30:00Z');
      assert.equal(fields.get('ske'), '2026-03-01T13:00:00Z');
      assert.equal(fields.get('skoid'), key.signedObjectId);
      assert.equal(fields.get('sktid'), key.signedTenantId);
      const expected = [
        'scid',
        'se',
        'sig',
        'ske',
        'skoid',
        'sks',
        'skt',
        'sktid',
        'skv',
        'sp',
        'spr',
        'sr',
        'st',
        'sv',
      ];
      assert.deepEqual([...fields.keys()].sort(), kind === 'd' ? [...expected, 'sdd'].sort() : expected);
    }
  });

  it('says how deep a directory is', async () => {
    const depths = { 'logs/a/**': '1', 'logs/a/b/c/**': '3' };
    for (const [text, depth] of Object.entries(depths)) {
      assert.equal(new URLSearchParams(await sign(`read on ${text}`)).get('sdd'), depth);
    }
  });

  it('has a letter for each action that the kind knows, and no other', async () => {
    const possible = {
      logs: 'read,add,create,write,delete,deleteVersion,list,tag,move,execute,setImmutabilityPolicy,permanentDelete,filterByTags',
      'logs/a': 'read,add,create,write,delete,deleteVersion,tag,move,execute,setImmutabilityPolicy,permanentDelete',
      'logs/a/**': 'read,add,create,write,delete,list,move,execute,manageOwnership,manageAccessControl',
    };
    const letters: Record<string, string> = {
      read: 'r',
      add: 'a',
      create: 'c',
      write: 'w',
      delete: 'd',
      deleteVersion: 'x',
      list: 'l',
      tag: 't',
      move: 'm',
      execute: 'e',
      setImmutabilityPolicy: 'i',
      permanentDelete: 'y',
      filterByTags: 'f',
      manageOwnership: 'o',
      manageAccessControl: 'p',
    };
    for (const [resource, actions] of Object.entries(possible)) {
      for (const action of actions.split(',')) {
        const sp = new URLSearchParams(await sign(`${action} on ${resource}`)).get('sp');
        assert.equal(sp, letters[action], `${action} on ${resource}`);
      }
      const all = new URLSearchParams(await sign(`${actions} on ${resource}`)).get('sp') ?? '';
      assert.equal(all.length, actions.split(',').length);
    }
  });
});
