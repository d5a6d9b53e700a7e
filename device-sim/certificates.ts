import { createPrivateKey, createPublicKey, generateKeyPair, sign } from 'node:crypto';
import { promisify } from 'node:util';
import forge from 'node-forge';

const { asn1 } = forge;
type Asn1 = ReturnType<typeof asn1.fromDer>;
const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class;
const { SEQUENCE, SET, OID, INTEGER, NULL, UTF8, BITSTRING } = asn1.Type;

const generate = promisify(generateKeyPair);

export type DeviceKeyType = 'ec-p256' | 'rsa-2048';

/** Makes the private key of a device, PKCS #8 in PEM (GW-03: it never leaves the device). RSA takes 0.1 s or more, off the loop. */
export async function createDeviceKey(type: DeviceKeyType = 'ec-p256'): Promise<string> {
  const { privateKey } =
    type === 'ec-p256'
      ? await generate('ec', { namedCurve: 'prime256v1' })
      : await generate('rsa', { modulusLength: 2048 });
  return privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
}

/**
 * Makes a PKCS #10 request (RFC 2986, PEM) for `commonName`, the device's serial number (GW-03, EWN-17), signed with
 * ecdsa-with-SHA256 or sha256WithRSAEncryption.
 *
 * @throws {Error} when `keyPem` is no EC or RSA private key.
 */
export function createSigningRequest({ keyPem, commonName }: { keyPem: string; commonName: string }): string {
  const key = createPrivateKey(keyPem);
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  const name = sequence(oid('2.5.4.3'), primitive(UTF8, Buffer.from(commonName)));
  const info = sequence(
    primitive(INTEGER, Buffer.of(0)),
    sequence(asn1.create(UNIVERSAL, SET, true, [name])),
    asn1.fromDer(spki.toString('latin1')),
    asn1.create(CONTEXT_SPECIFIC, 0, true, []),
  );
  const signature = sign('sha256', toDer(info), key);
  const request = sequence(
    info,
    signatureAlgorithm(key.asymmetricKeyType),
    primitive(BITSTRING, Buffer.concat([Buffer.of(0), signature])),
  );
  const lines =
    toDer(request)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE REQUEST-----', ...lines, '-----END CERTIFICATE REQUEST-----', ''].join('\n');
}

function signatureAlgorithm(keyType: string | undefined): Asn1 {
  if (keyType === 'ec') return sequence(oid('1.2.840.10045.4.3.2'));
  if (keyType === 'rsa') return sequence(oid('1.2.840.113549.1.1.11'), primitive(NULL, Buffer.of()));
  throw new Error(`A device key is EC or RSA, not ${keyType}.`);
}

function sequence(...parts: Asn1[]): Asn1 {
  return asn1.create(UNIVERSAL, SEQUENCE, true, parts);
}

function primitive(type: number, content: Buffer): Asn1 {
  return asn1.create(UNIVERSAL, type, false, content.toString('latin1'));
}

function oid(dotted: string): Asn1 {
  return asn1.create(UNIVERSAL, OID, false, asn1.oidToDer(dotted).getBytes());
}

function toDer(node: Asn1): Buffer {
  return Buffer.from(asn1.toDer(node).getBytes(), 'latin1');
}
