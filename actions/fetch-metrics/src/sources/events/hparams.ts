import type { MessageReader } from './message.ts';

/**
 * Hyperparameters that a run was started with: SummaryMetadata 1 plugin_data, of it 1 plugin_name, 2 content, in which 3 is
 * session_start_info, in which 1 is a map to google.protobuf.Value
 * (https://github.com/tensorflow/tensorboard/blob/master/tensorboard/plugins/hparams/plugin_data.proto).
 */
export function addHyperparameters(metadata: MessageReader, parameters: { name: string; value: string }[]): void {
  for (const plugin of inside(metadata, 1)) {
    let name = '';
    let content: MessageReader | undefined;
    while (plugin.next()) {
      if (plugin.wire !== 2) continue;
      if (plugin.field === 1) name = plugin.text();
      else if (plugin.field === 2) content = plugin.message();
    }
    if (name !== 'hparams' || !content) continue;
    for (const start of inside(content, 3)) for (const entry of inside(start, 1)) addEntry(entry, parameters);
  }
}

function addEntry(entry: MessageReader, parameters: { name: string; value: string }[]): void {
  let name = '';
  let value: string | undefined;
  while (entry.next()) {
    if (entry.wire !== 2) continue;
    if (entry.field === 1) name = entry.text();
    else if (entry.field === 2) value = valueOf(entry.message());
  }
  if (value !== undefined) parameters.push({ name, value });
}

/** google.protobuf.Value: 2 number, 3 text, 4 boolean. */
function valueOf(value: MessageReader): string | undefined {
  while (value.next()) {
    if (value.field === 2 && value.wire === 1) return String(value.buffer.readDoubleLE(value.from));
    if (value.field === 3 && value.wire === 2) return value.text();
    if (value.field === 4 && value.wire === 0) return String(value.varint !== 0);
  }
  return undefined;
}

function* inside(message: MessageReader, field: number): Generator<MessageReader> {
  while (message.next()) if (message.field === field && message.wire === 2) yield message.message();
}
