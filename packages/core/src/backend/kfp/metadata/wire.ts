import { ActionError } from '../../../action/errors.ts';

/**
 * What protocol buffers look like on the wire (https://protobuf.dev/programming-guides/encoding/), as far as five messages need it:
 * a library with its generated types would be ten times this file in every bundle.
 */

/** The fields of a message by number, each as often as it came: numbers and doubles as bytes still. */
export type Message = ReadonlyMap<number, readonly Field[]>;

/** A varint, or the bytes of what is fixed or has a length. */
export type Field = bigint | Buffer;

/** @throws ActionError `unreachable` for bytes that are no message */
export function readMessage(bytes: Buffer): Message {
  const fields = new Map<number, Field[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) throw noMessage('one that ends in the middle');
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw noMessage('one with a number of more than 64 bits');
  };
  const take = (length: number): Buffer => {
    if (at + length > bytes.length) throw noMessage('one that ends in the middle');
    return bytes.subarray(at, (at += length));
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const type = Number(tag & 7n);
    let field: Field;
    if (type === 0) field = varint();
    else if (type === 1) field = take(8);
    else if (type === 2) field = take(Number(varint()));
    else if (type === 5) field = take(4);
    else throw noMessage(`one with a field of the wire type ${type}`);
    fields.set(number, [...(fields.get(number) ?? []), field]);
  }
  return fields;
}

function noMessage(what: string): ActionError {
  return new ActionError('unreachable', `ML Metadata sent what is no message: ${what}`);
}

/** The last of a field, as later ones replace earlier ones. */
function last(message: Message, number: number): Field | undefined {
  return message.get(number)?.at(-1);
}

export function textOf(message: Message, number: number): string | undefined {
  const field = last(message, number);
  return Buffer.isBuffer(field) ? field.toString('utf8') : undefined;
}

/** A whole number of up to 64 bits, with its sign. */
export function integerOf(message: Message, number: number): bigint | undefined {
  const field = last(message, number);
  return typeof field === 'bigint' ? BigInt.asIntN(64, field) : undefined;
}

export function doubleOf(message: Message, number: number): number | undefined {
  const field = last(message, number);
  return Buffer.isBuffer(field) && field.length === 8 ? field.readDoubleLE() : undefined;
}

/** All messages of a field. */
export function messagesOf(message: Message, number: number): Message[] {
  return (message.get(number) ?? []).flatMap((field) => (Buffer.isBuffer(field) ? [readMessage(field)] : []));
}

/** Writes fields: texts, messages, and whole numbers that are not negative; a list is repeated. */
export function writeMessage(fields: readonly [number, string | Buffer | bigint | readonly bigint[]][]): Buffer {
  const parts = fields.flatMap(([number, value]) => {
    if (typeof value === 'string' || Buffer.isBuffer(value)) {
      const text = Buffer.from(value);
      return [varintOf(BigInt(number * 8 + 2)), varintOf(BigInt(text.length)), text];
    }
    const all = typeof value === 'bigint' ? [value] : value;
    return all.flatMap((one) => [varintOf(BigInt(number * 8)), varintOf(one)]);
  });
  return Buffer.concat(parts);
}

function varintOf(value: bigint): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}
