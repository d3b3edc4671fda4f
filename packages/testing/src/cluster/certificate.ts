import { generateKeyPairSync, randomBytes, sign } from 'node:crypto';

/** A key and a certificate that is its own authority, both PEM. */
export interface Certificate {
  key: string;
  cert: string;
}

// Distinguished encoding: https://www.itu.int/rec/T-REC-X.690, as far as one certificate needs it.
const tagged = (tag: number, ...parts: Buffer[]): Buffer => {
  const content = Buffer.concat(parts);
  const { length } = content;
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255];
  return Buffer.concat([Buffer.from([tag, ...size]), content]);
};
const sequence = (...parts: Buffer[]): Buffer => tagged(0x30, ...parts);
const set = (...parts: Buffer[]): Buffer => tagged(0x31, ...parts);
const octets = (...parts: Buffer[]): Buffer => tagged(0x04, ...parts);
const bits = (content: Buffer, unused = 0): Buffer => tagged(0x03, Buffer.from([unused]), content);
const integer = (content: Buffer): Buffer => tagged(0x02, content);
const text = (content: string): Buffer => tagged(0x0c, Buffer.from(content));
const yes = tagged(0x01, Buffer.from([0xff]));
const moment = (at: Date): Buffer => tagged(0x18, Buffer.from(`${at.toISOString().replace(/\D/gu, '').slice(0, 14)}Z`));

function identifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  const bytes = [first * 40 + second];
  for (const number of rest) {
    const groups = [number & 127];
    for (let left = number >> 7; left > 0; left >>= 7) groups.unshift((left & 127) | 128);
    bytes.push(...groups);
  }
  return tagged(0x06, Buffer.from(bytes));
}

/**
 * Makes a certificate for 127.0.0.1 and localhost that is valid for a day (https://www.rfc-editor.org/rfc/rfc5280);
 * Node can read certificates and not make them.
 */
export function makeCertificate(now = Date.now()): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(identifier('1.2.840.10045.4.3.2'));
  const name = sequence(set(sequence(identifier('2.5.4.3'), text('slashtrain-embedded'))));
  const extension = (id: string, critical: boolean, value: Buffer): Buffer =>
    sequence(identifier(id), ...(critical ? [yes] : []), octets(value));
  const extensions = sequence(
    extension('2.5.29.19', true, sequence(yes)),
    // Signing, and signing certificates.
    extension('2.5.29.15', true, bits(Buffer.from([0b10000100]), 2)),
    extension('2.5.29.37', false, sequence(identifier('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', false, sequence(tagged(0x82, Buffer.from('localhost')), tagged(0x87, Buffer.from([127, 0, 0, 1])))),
  );
  const day = 24 * 60 * 60 * 1000;
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    name,
    sequence(moment(new Date(now - day)), moment(new Date(now + day))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    tagged(0xa3, extensions),
  );
  const der = sequence(body, algorithm, bits(sign('sha256', body, privateKey)));
  const lines = der.toString('base64').replace(/.{64}/gu, '$&\n').trim();
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`,
  };
}
