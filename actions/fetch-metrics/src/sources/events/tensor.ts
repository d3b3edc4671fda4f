import { MessageReader } from './message.ts';

/**
 * The number of a tensor with one element, as floats keep it: rounded to what was written.
 * TensorProto: 1 dtype, 2 tensor_shape, 4 tensor_content, 5 float_val, 6 double_val, 7 int_val, 10 int64_val
 * (https://github.com/tensorflow/tensorflow/blob/master/tensorflow/core/framework/tensor.proto).
 * @returns undefined where it has more elements, or is of another type (texts, images)
 */
export function scalarOf(tensor: MessageReader): number | undefined {
  let type = 0;
  let value: number | undefined;
  let content: { from: number; to: number } | undefined;
  while (tensor.next()) {
    const { field, wire, buffer, from, to } = tensor;
    if (field === 1 && wire === 0) type = tensor.varint;
    else if (field === 2 && wire === 2 && elements(tensor.message()) !== 1) return undefined;
    else if (field === 4 && wire === 2) content = { from, to };
    else if (field === 5 && (wire === 5 || to - from === 4)) value = buffer.readFloatLE(from);
    else if (field === 6 && (wire === 1 || to - from === 8)) value = buffer.readDoubleLE(from);
    else if (field === 7 || field === 10) value = wire === 0 ? tensor.varint : firstVarint(tensor);
  }
  if (value !== undefined || content === undefined) return value;
  return fromContent(type, tensor.buffer, content.from, content.to - content.from);
}

/** DataType: 1 float, 2 double, 3 int32, 9 int64, 14 bfloat16, 19 half. */
function fromContent(type: number, buffer: Buffer, from: number, bytes: number): number | undefined {
  if (type === 1 && bytes === 4) return buffer.readFloatLE(from);
  if (type === 2 && bytes === 8) return buffer.readDoubleLE(from);
  if (type === 3 && bytes === 4) return buffer.readInt32LE(from);
  if (type === 9 && bytes === 8) return Number(buffer.readBigInt64LE(from));
  // The upper half of a float.
  if (type === 14 && bytes === 2) return Buffer.from([0, 0, buffer[from]!, buffer[from + 1]!]).readFloatLE(0);
  if (type === 19 && bytes === 2) return half(buffer.readUInt16LE(from));
  return undefined;
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

/** TensorShapeProto: 2 dim, of which 1 is the size. */
function elements(shape: MessageReader): number {
  let count = 1;
  while (shape.next()) {
    if (shape.field !== 2 || shape.wire !== 2) continue;
    const dimension = shape.message();
    let size = 0;
    while (dimension.next()) if (dimension.field === 1 && dimension.wire === 0) size = dimension.varint;
    count *= size;
  }
  return count;
}

/** A packed list of varints holds no keys; read as the value of a field. */
function firstVarint({ buffer, from, to }: MessageReader): number | undefined {
  if (from === to) return undefined;
  const framed = Buffer.concat([Buffer.from([8]), buffer.subarray(from, to)]);
  const reader = new MessageReader(framed, 0, framed.length);
  return reader.next() ? reader.varint : undefined;
}
