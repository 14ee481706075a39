/** Bytes and a view to read many of them at once, kept as long as payloads come out of the same bytes. */
export type BytesOf = { readonly bytes: Buffer; readonly view: DataView };

export const viewed = (bytes: Buffer): BytesOf => ({
  bytes,
  view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
});
