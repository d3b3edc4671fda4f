import { addHyperparameters } from './hparams.ts';
import { MessageReader } from './message.ts';
import { readRecords } from './records.ts';
import { scalarOf } from './tensor.ts';
import type { Curves } from './curves.ts';

/** What a file of events had, besides curves. */
export interface EventNotes {
  notes: string[];
  parameters: { name: string; value: string }[];
}

/**
 * Reads the scalars of a TensorBoard event file into `curves`
 * (https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto): TensorFlow 1's `simple_value`,
 * and TensorFlow 2's tensors of no dimension. Images, histograms, graphs and texts are passed by.
 */
export async function readEvents(path: string, curves: Curves): Promise<EventNotes> {
  const found: EventNotes = { notes: [], parameters: [] };
  let odd = 0;
  const ending = await readRecords(path, (buffer, from, to) => {
    try {
      addEvent(new MessageReader(buffer, from, to), curves, found);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      odd++;
    }
  });
  if (ending.how === 'cut') found.notes.push(`it ends in the middle of an event; what is whole was read, ${ending.bytes} bytes`);
  if (ending.how === 'corrupt')
    found.notes.push(`the checksum of the event after ${ending.bytes} bytes is wrong; what stands before it was read`);
  if (odd > 0) found.notes.push(`${odd} events are not as they should be, and were left out`);
  return found;
}

/** Event: 2 step, 5 summary. */
function addEvent(event: MessageReader, curves: Curves, found: EventNotes): void {
  let step = 0;
  let summary: MessageReader | undefined;
  while (event.next()) {
    if (event.field === 2 && event.wire === 0) step = event.varint;
    else if (event.field === 5 && event.wire === 2) summary = event.message();
  }
  if (!summary) return;
  while (summary.next()) if (summary.field === 1 && summary.wire === 2) addValue(summary.message(), step, curves, found);
}

/** Summary.Value: 1 tag, 2 simple_value, 8 tensor, 9 metadata. */
function addValue(value: MessageReader, step: number, curves: Curves, found: EventNotes): void {
  let tag: { from: number; to: number } | undefined;
  let number: number | undefined;
  let metadata: MessageReader | undefined;
  while (value.next()) {
    if (value.field === 1 && value.wire === 2) tag = { from: value.from, to: value.to };
    else if (value.field === 2 && value.wire === 5) number = value.buffer.readFloatLE(value.from);
    else if (value.field === 8 && value.wire === 2) number = scalarOf(value.message());
    else if (value.field === 9 && value.wire === 2) metadata = value.message();
  }
  if (metadata) addHyperparameters(metadata, found.parameters);
  if (tag !== undefined && number !== undefined && step >= 0) curves.add(value.buffer, tag.from, tag.to, step, number);
}
