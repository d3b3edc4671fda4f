/**
 * A reader of protobuf messages that gives one field at a time, without copies
 * (https://protobuf.dev/programming-guides/encoding/).
 */
export class MessageReader {
  readonly buffer: Buffer;
  #at: number;
  readonly #end: number;
  /** The number of the field that {@link next} found. */
  field = 0;
  /** Its wire type: 0 varint, 1 eight bytes, 2 bytes, 5 four bytes. */
  wire = 0;
  /** Where its content is. Of a varint, {@link varint} is its value. */
  from = 0;
  to = 0;
  varint = 0;

  constructor(buffer: Buffer, from: number, to: number) {
    this.buffer = buffer;
    this.#at = from;
    this.#end = to;
  }

  /** Goes to the next field. @throws RangeError where the message is no message */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const key = this.#readVarint();
    this.field = Math.floor(key / 8);
    this.wire = key % 8;
    switch (this.wire) {
      case 0:
        this.varint = this.#readVarint();
        return true;
      case 1:
        return this.#content(8);
      case 2:
        return this.#content(this.#readVarint());
      case 5:
        return this.#content(4);
      default:
        throw new RangeError(`a field of wire type ${this.wire}`);
    }
  }

  /** The field's content as a message of its own. */
  message(): MessageReader {
    return new MessageReader(this.buffer, this.from, this.to);
  }

  text(): string {
    return this.buffer.toString('utf8', this.from, this.to);
  }

  #content(length: number): boolean {
    this.from = this.#at;
    this.to = this.#at + length;
    if (this.to > this.#end) throw new RangeError('a field that is longer than its message');
    this.#at = this.to;
    return true;
  }

  /** Two's complement for negative numbers; above 2^53 not exact. */
  #readVarint(): number {
    let value = 0;
    let scale = 1;
    for (let bytes = 0; bytes < 10; bytes++) {
      if (this.#at >= this.#end) break;
      const byte = this.buffer[this.#at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value >= 2 ** 63 ? value - 2 ** 64 : value;
      scale *= 128;
    }
    throw new RangeError('a number that does not end');
  }
}
