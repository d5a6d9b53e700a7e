import { createHash, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import forge from 'node-forge';
import { describe, expect, it } from 'vitest';
import { createDeviceKey, createSigningRequest, type DeviceKeyType } from '../../device-sim/certificates.ts';
import { parseSigningRequest, readDevicePublicKey, SigningRequestError } from './signing-request.ts';

const SERIAL = '2307-0101-25';
const { asn1 } = forge;
type Asn1 = ReturnType<typeof asn1.fromDer>;

/** Requests made with `openssl req`, for SERIAL: another implementation than ours on both sides. */
const OPENSSL_P384 = `-----BEGIN CERTIFICATE REQUEST-----
MIIBHTCBpQIBADAmMQ0wCwYDVQQKDARBY21lMRUwEwYDVQQDDAwyMzA3LTAxMDEt
MjUwdjAQBgcqhkjOPQIBBgUrgQQAIgNiAAR1gUgBalMYXq/PYgKCqUA2QvzQhSvG
x0SoX2aKGi/dunwK2NGT4hUiWhJqEK7DCGXcV38q4hcAkQQv+oZqRTtWS0h+yoSh
DbGeJz2RokyO9sFNWRwW8m/MZJhZ9aiXjF2gADAKBggqhkjOPQQDAwNnADBkAjBC
BGXhQMHq03yIY7nirInKGRtxZ9yxnBaMkcZ4A0IXscudOZgZRAWzLwLoj7czq8UC
MHcZeJjn9gpuqakyCQEPeezp+8QTANqMQLkCeFkzSZ/lRkiclHicUNLuCzArdf3q
OQ==
-----END CERTIFICATE REQUEST-----
`;
const OPENSSL_RSA = `-----BEGIN CERTIFICATE REQUEST-----
MIIDoTCCAgkCAQAwJDELMAkGA1UEBhMCQkUxFTATBgNVBAMMDDIzMDctMDEwMS0y
NTCCAaIwDQYJKoZIhvcNAQEBBQADggGPADCCAYoCggGBAM+4NQpJXsXHgrRfjK3R
zS5REHyOCNihgs0Crf7dp6C8fnWXbqOQI8FyHC8IPeb8ENRYl4WmSQM7AiZmZbgo
8VJv5GNo3WQWFxdyjYhN/39asSq0mNOCNS9tb4pu6tQlEsHOtYLSsSgE0mtCBAxz
Bl2i6ZzwUnMh8w3NzhkuuFoHzWZZNxXzdY6qefRNYlIPjuVV80rptpqNSvkMs0Yg
d+CSGVSohrRXrgOuZ37UQrUueIsE7vuTziETzAeYKkTg4mhVpNLStlc0JNL49Eho
H0ignl6Xc2mo7ELN21EUaVZi3BOKc8v5UfUsne2/ZLKkCPIjtaPlYY/8MLlSNKvX
DIMqN3J5v+0JdXCbACTOR/1y+LEb9vnPAS7SpyPVUCTDqUqaHIaoyacRqZJLwk+P
01S0OGnK/z1O+FdaguvAJAtHhElsMS89Z+OuGsXsrK2YntLzFFHkbhElmrsFzJnC
guyVojXWdjgOhi9n1Ecm3C+66b1gp3u/pd0mEzphJpdfjwIDAQABoDgwNgYJKoZI
hvcNAQkOMSkwJzAXBgNVHREEEDAOggxldmlsLmV4YW1wbGUwDAYDVR0TBAUwAwEB
/zANBgkqhkiG9w0BAQsFAAOCAYEAYO0Hnv/Hu0TmlU40HqzsaXr0cGBa+UbMBnPe
Po+z6NFHD/z24CEScnVlcyD29Bac1tQPDSub6u4f6JBQkyeX+0DzbowdH3WXvv0f
xiIqItsQbbAc7JqMT+hJiNOLQed35L9VnCIFxECEDHrBnkH6YzqPfpQI3a4SElrP
42Saij9hdN3ohhUhh8UajopDJclvgp70WniQfaFX4LtVCXGM7JZCZJU9k6IDDwOI
wOI7Gx8L+eR3jSO1/A+t0lYfGu1Iw9J/X7hDABrieptQVCI+V6srQDniGpdU1lE/
tjKXH/7tKlnzLPPFIfCbhi/qC62Fv+3lfbcSBZNOUw9hheIUsxpWcj0Ap8SMbSBw
0zyUlgk+IWmPgO8EAK3wrkid3zylwQy3rse1wWsfI5nLoL3bRCzuw7MYV0l9lfbI
k2WrwSvPtutHSayjGGgtJZxA8v+OJI0XgdknrSme70qIvLwf8VtXfoXaIb2EPU9D
O3OddT7ag/55QrfCEGVHew2TKij9
-----END CERTIFICATE REQUEST-----
`;
const OPENSSL_EXPLICIT_CURVE = `-----BEGIN CERTIFICATE REQUEST-----
MIIBxjCCAW0CAQAwFzEVMBMGA1UEAwwMMjMwNy0wMTAxLTI1MIIBSzCCAQMGByqG
SM49AgEwgfcCAQEwLAYHKoZIzj0BAQIhAP////8AAAABAAAAAAAAAAAAAAAA////
////////////MFsEIP////8AAAABAAAAAAAAAAAAAAAA///////////////8BCBa
xjXYqjqT57PrvVV2mIa8ZR0GsMxTsPY7zjw+J9JgSwMVAMSdNgiG5wSTamZ44ROd
JreBn36QBEEEaxfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpZP40Li/hp/
m47n60p8D54WK84zV2sxXs7LtkBoN79R9QIhAP////8AAAAA//////////+85vqt
pxeehPO5ysL8YyVRAgEBA0IABP5JjPdgp4urZEVESWA+DwbOXRueYuzqE0m2xo+v
DPusB0S23wBx4qEmNoGDDcOn4q3PQb2wSpjfNw0aIBradhOgADAKBggqhkjOPQQD
AgNHADBEAiA/6I9cmIUMcUoBQdXpXYjXmqx5ByJXPrPHpzbLqHVD2AIgKLCpYBye
se/5OxW5nueIHVWdT08WC//f/5Dl5T6l4cE=
-----END CERTIFICATE REQUEST-----
`;

describe('a signing request', () => {
  it.each<DeviceKeyType>(['ec-p256', 'rsa-2048'])('GW-03 of the simulator is accepted with an %s key', async (type) => {
    const keyPem = await createDeviceKey(type);
    const spki = createPublicKey(keyPem).export({ format: 'der', type: 'spki' });
    const request = parseSigningRequest(createSigningRequest({ keyPem, commonName: SERIAL }));
    expect(request.commonName).toBe(SERIAL);
    expect(request.spkiDer).toEqual(spki);
    expect(request.publicKeyHash).toBe(createHash('sha256').update(spki).digest('hex'));
    expect(request.publicKey.equals(createPublicKey(keyPem))).toBe(true);
  });

  it.each([
    ['EC P-384 and SHA-384', OPENSSL_P384, 'ec'],
    ['RSA 3072, extensions asked for, and CRLF lines', OPENSSL_RSA.replaceAll('\n', '\r\n'), 'rsa'],
  ])('GW-03 of OpenSSL is accepted with %s', (_, pem, keyType) => {
    const request = parseSigningRequest(pem);
    expect(request.commonName).toBe(SERIAL);
    expect(request.publicKey.asymmetricKeyType).toBe(keyType);
  });

  it('GW-03 gives a compressed point the same hash as the uncompressed one', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const spki = publicKey.export({ format: 'der', type: 'spki' });
    const point = spki.subarray(-65);
    // SubjectPublicKeyInfo of P-256 with a compressed point: 57 bytes of content, a bit string of 34.
    const compressed = Buffer.concat([
      Buffer.from('3039301306072a8648ce3d020106082a8648ce3d030107032200', 'hex'),
      Buffer.of(((point.at(-1) ?? 0) & 1) + 2),
      point.subarray(1, 33),
    ]);
    expect(readDevicePublicKey(compressed).spkiDer).toEqual(spki);
  });

  it('GW-04 with the common name changed after signing is refused', async () => {
    const pem = createSigningRequest({ keyPem: await createDeviceKey(), commonName: SERIAL });
    const foreign = changed(pem, (der) => der.write('2307-0102-25', der.indexOf(SERIAL)));
    expect(refusal(foreign)).toMatchObject({ reason: 'BAD_SIGNATURE' });
  });

  it.each<DeviceKeyType>(['ec-p256', 'rsa-2048'])('GW-03 with a changed %s signature is refused', async (type) => {
    const pem = createSigningRequest({ keyPem: await createDeviceKey(type), commonName: SERIAL });
    const tampered = changed(pem, (der) => der.writeUInt8(der.readUInt8(der.length - 1) ^ 1, der.length - 1));
    expect(refusal(tampered)).toMatchObject({ reason: 'BAD_SIGNATURE' });
  });

  it('GW-04 for the public key of another device, without its private key, is refused', () => {
    const mine = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const theirs = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    const pem = request({ publicKey: theirs.publicKey, privateKey: mine.privateKey });
    expect(refusal(pem)).toMatchObject({ reason: 'BAD_SIGNATURE' });
  });

  it.each<[string, () => { publicKey: KeyObject; privateKey: KeyObject }]>([
    ['RSA of 1024 bits', () => generateKeyPairSync('rsa', { modulusLength: 1024 })],
    ['RSA with exponent 3', () => generateKeyPairSync('rsa', { modulusLength: 2048, publicExponent: 3 })],
    ['RSA-PSS', () => generateKeyPairSync('rsa-pss', { modulusLength: 2048 })],
    ['EC secp256k1', () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' })],
    ['EC P-224', () => generateKeyPairSync('ec', { namedCurve: 'secp224r1' })],
  ])('GW-03 with a weak or unusual key is refused: %s', (_, pair) => {
    expect(refusal(request(pair()))).toMatchObject({ reason: 'UNSUPPORTED_KEY' });
  });

  it('GW-03 with Ed25519 is refused', () => {
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    expect(refusal(request({ publicKey, privateKey, digest: null }))).toMatchObject({ reason: 'UNSUPPORTED_KEY' });
  });

  it('GW-03 with P-256 spelled out by its parameters comes out with the named curve', () => {
    // OpenSSL would write the parameters out again, and TLS 1.3 refuses such a certificate.
    const { spkiDer } = parseSigningRequest(OPENSSL_EXPLICIT_CURVE);
    expect(spkiDer.subarray(0, 23)).toEqual(Buffer.from('3059301306072a8648ce3d020106082a8648ce3d030107', 'hex'));
  });

  it.each([
    ['ecdsa-with-SHA1', '1.2.840.10045.4.1'],
    ['an RSA algorithm for an EC key', '1.2.840.113549.1.1.11'],
  ])('GW-03 with an unsupported signature algorithm is refused: %s', (_, algorithm) => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    expect(refusal(request({ ...pair, algorithm }))).toMatchObject({ reason: 'UNSUPPORTED_KEY' });
  });

  it.each([
    ['none', []],
    ['two', [SERIAL, '2307-0102-25']],
    ['empty', ['']],
    ['over 64 characters', ['1'.repeat(65)]],
    ['control character', [`${SERIAL}\0.example`]],
  ])('GW-04 without exactly one printable common name is refused: %s', (_, names) => {
    const pair = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    expect(refusal(request({ ...pair, names }))).toMatchObject({ reason: 'MALFORMED' });
  });

  it('GW-03 that is garbage is refused with a readable reason', async () => {
    const pem = createSigningRequest({ keyPem: await createDeviceKey(), commonName: SERIAL });
    const der = derOf(pem);
    const garbage = [
      '',
      'garbage',
      await createDeviceKey(),
      pem.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'),
      pem + pem,
      armoured(Buffer.of()),
      armoured(Buffer.of(0x30)),
      armoured(Buffer.of(0x30, 0x00)),
      armoured(Buffer.of(0x30, 0x80, 0x00, 0x00)),
      armoured(Buffer.alloc(3000, 0x30)),
      armoured(Buffer.concat([der, Buffer.of(0)])),
      ...Array.from({ length: der.length }, (_, length) => armoured(der.subarray(0, length))),
    ];
    for (const text of garbage) {
      const error = refusal(text);
      expect(error).toMatchObject({ reason: 'MALFORMED' });
      expect(error.cause).toBeUndefined();
      expect(error.message).toMatch(/^The signing request cannot be read: /);
    }
  });

  it('GW-03 with any one byte changed is refused, and nothing else is thrown', async () => {
    const pem = createSigningRequest({ keyPem: await createDeviceKey(), commonName: SERIAL });
    for (let index = 0; index < derOf(pem).length; index++) {
      for (const mask of [0x01, 0x20, 0x80, 0xff]) {
        refusal(changed(pem, (der) => der.writeUInt8(der.readUInt8(index) ^ mask, index)));
      }
    }
  });

  it('GW-03 in a non-canonical encoding is refused, though its signature is right', async () => {
    const der = derOf(createSigningRequest({ keyPem: await createDeviceKey(), commonName: SERIAL }));
    expect(der.subarray(0, 2)).toEqual(Buffer.of(0x30, 0x81));
    const longer = Buffer.concat([Buffer.of(0x30, 0x82, 0x00), der.subarray(2)]);
    expect(refusal(armoured(longer))).toMatchObject({ reason: 'MALFORMED' });
  });

  it('GW-03 of more than 8 KiB is refused unread', async () => {
    const pem = createSigningRequest({ keyPem: await createDeviceKey(), commonName: SERIAL });
    expect(refusal(pem.padEnd(8193))).toMatchObject({ reason: 'MALFORMED' });
    expect(parseSigningRequest(pem.padEnd(8192)).commonName).toBe(SERIAL);
  });
});

function refusal(pem: string): SigningRequestError {
  try {
    parseSigningRequest(pem);
  } catch (error) {
    expect(error).toBeInstanceOf(SigningRequestError);
    return error as SigningRequestError;
  }
  throw new Error('The request was accepted.');
}

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replace(/-----.*-----/g, ''), 'base64');
}

function armoured(der: Buffer): string {
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
}

function changed(pem: string, change: (der: Buffer) => void): string {
  const der = derOf(pem);
  change(der);
  return armoured(der);
}

/** A request with something wrong in it, and otherwise right. */
function request(options: {
  publicKey: KeyObject;
  privateKey: KeyObject;
  digest?: string | null;
  algorithm?: string;
  names?: string[];
}): string {
  const { publicKey, privateKey, digest = 'sha256', names = [SERIAL] } = options;
  const { algorithm = publicKey.asymmetricKeyType === 'rsa' ? '1.2.840.113549.1.1.11' : '1.2.840.10045.4.3.2' } =
    options;
  const node = (type: number, value: string | Asn1[]) =>
    asn1.create(asn1.Class.UNIVERSAL, type, Array.isArray(value), value);
  const oid = (dotted: string) => node(asn1.Type.OID, asn1.oidToDer(dotted).getBytes());
  const der = (part: Asn1) => Buffer.from(asn1.toDer(part).getBytes(), 'latin1');
  const { SEQUENCE, SET, INTEGER, UTF8, BITSTRING } = asn1.Type;
  const subject = names.map((name) => node(SET, [node(SEQUENCE, [oid('2.5.4.3'), node(UTF8, name)])]));
  const info = node(SEQUENCE, [
    node(INTEGER, '\0'),
    node(SEQUENCE, subject),
    asn1.fromDer(publicKey.export({ format: 'der', type: 'spki' }).toString('latin1')),
    asn1.create(asn1.Class.CONTEXT_SPECIFIC, 0, true, []),
  ]);
  const signature = sign(digest, der(info), privateKey).toString('latin1');
  return armoured(der(node(SEQUENCE, [info, node(SEQUENCE, [oid(algorithm)]), node(BITSTRING, `\0${signature}`)])));
}
