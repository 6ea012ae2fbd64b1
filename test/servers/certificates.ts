import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

/** A certificate and its private key, both PEM. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

/** Everything TLS of a lab, made anew at every start and worth nothing elsewhere. */
export interface LabCertificates {
  /** PEM file of the authority that clients of the lab trust. */
  readonly caFile: string;
  readonly caCertificate: string;
  /** PEM file of an authority that has signed nothing that the lab serves. */
  readonly unrelatedCaFile: string;
  /** Server certificate for all mapped names; also as files, for servers that are processes of their own. */
  readonly server: KeyPair;
  readonly serverCertificateFile: string;
  readonly serverKeyFile: string;
  /** Certificates that a client must refuse: signed by the unrelated authority, for another name, out of date. */
  readonly untrusted: KeyPair;
  readonly wrongName: KeyPair;
  readonly expired: KeyPair;
}

interface Authority {
  readonly certificate: x509.X509Certificate;
  readonly keys: webcrypto.CryptoKeyPair;
}

const ellipticCurve = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const dayMilliseconds = 24 * 60 * 60 * 1000;

/** Makes both authorities and all certificates, and writes the files into `folder`. */
export async function createCertificates(folder: string, names: readonly string[]): Promise<LabCertificates> {
  const [authority, unrelated] = await Promise.all([
    createAuthority('Contoso Test Authority'),
    createAuthority('Unrelated Test Authority'),
  ]);
  const [server, untrusted, wrongName, expired] = await Promise.all([
    createLeaf(authority, names),
    createLeaf(unrelated, names),
    createLeaf(authority, ['another-host.example.com']),
    createLeaf(authority, names, {
      notBefore: Date.now() - 30 * dayMilliseconds,
      notAfter: Date.now() - dayMilliseconds,
    }),
  ]);
  const files = {
    caFile: join(folder, 'ca.pem'),
    unrelatedCaFile: join(folder, 'unrelated-ca.pem'),
    serverCertificateFile: join(folder, 'server.pem'),
    serverKeyFile: join(folder, 'server.key'),
  };
  const caCertificate = authority.certificate.toString('pem');
  await Promise.all([
    writeFile(files.caFile, caCertificate),
    writeFile(files.unrelatedCaFile, unrelated.certificate.toString('pem')),
    writeFile(files.serverCertificateFile, server.certificate),
    writeFile(files.serverKeyFile, server.key, { mode: 0o600 }),
  ]);
  return { ...files, caCertificate, server, untrusted, wrongName, expired };
}

/** A self-signed certificate over an RSA key, as a registry's `rootcertbundle` and `x5c` header want it. */
export async function selfSigned(
  commonName: string,
  publicKeySpki: Buffer,
  privateKeyPkcs8: Buffer,
): Promise<{ readonly pem: string; readonly derBase64: string }> {
  const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
  const keys = {
    publicKey: await webcrypto.subtle.importKey('spki', publicKeySpki, algorithm, true, ['verify']),
    privateKey: await webcrypto.subtle.importKey('pkcs8', privateKeyPkcs8, algorithm, true, ['sign']),
  };
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${commonName}`,
    notBefore: new Date(Date.now() - dayMilliseconds),
    notAfter: new Date(Date.now() + 30 * dayMilliseconds),
    signingAlgorithm: algorithm,
    keys,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  return { pem: certificate.toString('pem'), derBase64: Buffer.from(certificate.rawData).toString('base64') };
}

async function createAuthority(commonName: string): Promise<Authority> {
  const keys = await createKeys();
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${commonName}`,
    notBefore: new Date(Date.now() - 60 * dayMilliseconds),
    notAfter: new Date(Date.now() + 30 * dayMilliseconds),
    signingAlgorithm: ellipticCurve,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate, keys };
}

async function createLeaf(
  authority: Authority,
  names: readonly string[],
  validity: { readonly notBefore?: number; readonly notAfter?: number } = {},
): Promise<KeyPair> {
  const keys = await createKeys();
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${names[0]}`,
    issuer: authority.certificate.subject,
    notBefore: new Date(validity.notBefore ?? Date.now() - dayMilliseconds),
    notAfter: new Date(validity.notAfter ?? Date.now() + 7 * dayMilliseconds),
    signingKey: authority.keys.privateKey,
    publicKey: keys.publicKey,
    signingAlgorithm: ellipticCurve,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value }))),
      await x509.AuthorityKeyIdentifierExtension.create(authority.keys.publicKey),
    ],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const lines = pkcs8.match(/.{1,64}/g) ?? [];
  const key = ['-----BEGIN PRIVATE KEY-----', ...lines, '-----END PRIVATE KEY-----', ''].join('\n');
  return { certificate: certificate.toString('pem'), key };
}

async function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  const keys = await webcrypto.subtle.generateKey(ellipticCurve, true, ['sign', 'verify']);
  return keys as webcrypto.CryptoKeyPair;
}

function serialNumber(): string {
  // A leading 0 keeps the number positive in DER.
  return `0${Buffer.from(webcrypto.getRandomValues(new Uint8Array(10))).toString('hex')}`.slice(0, 18);
}
