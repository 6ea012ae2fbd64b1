import { createHmac } from 'node:crypto';

/** What the signature's own text does not hold. */
export interface UnsignedParts {
  readonly account: string;
  /** Container, or container and path, not encoded. */
  readonly path: string;
  /** The delegation key's value, base64. */
  readonly keyValue: string;
}

/**
 * `sig` of a user delegation signature, made anew from the other fields of its query: Microsoft, "Create a user
 * delegation SAS", string-to-sign of version 2020-12-06 and later. A field that does not stand in the query is empty.
 */
export function expectedSignature(query: string, parts: UnsignedParts): string {
  const fields = new URLSearchParams(query);
  const value = (name: string) => fields.get(name) ?? '';
  const stringToSign = [
    value('sp'),
    value('st'),
    value('se'),
    `/blob/${parts.account}/${parts.path}`,
    value('skoid'),
    value('sktid'),
    value('skt'),
    value('ske'),
    value('sks'),
    value('skv'),
    value('saoid'),
    value('suoid'),
    value('scid'),
    value('sip'),
    value('spr'),
    value('sv'),
    value('sr'),
    value('snapshot'),
    value('ses'),
    value('rscc'),
    value('rscd'),
    value('rsce'),
    value('rscl'),
    value('rsct'),
  ].join('\n');
  return createHmac('sha256', Buffer.from(parts.keyValue, 'base64')).update(stringToSign, 'utf8').digest('base64');
}
