// The goodbye of a page that is being closed: nobody need wonder where this display is.

/** A gRPC-web call by hand: a page that closes cannot wait for the worker. */
export function leaveBody(display: string): Uint8Array<ArrayBuffer> {
  const name = new TextEncoder().encode(display);
  // Field 1, of a length; names are shorter than 128 bytes.
  const message = [0x0a, name.length, ...name];
  return new Uint8Array([0, 0, 0, 0, message.length, ...message]);
}

export function sayGoodbye(gateway: string, display: string): void {
  const url = new URL('/ecmo.v1.DisplayService/LeaveWards', gateway);
  const headers = { 'content-type': 'application/grpc-web+proto', 'x-grpc-web': '1' };
  // Nobody is left to hear whether it came: the lease runs out by itself.
  fetch(url, { method: 'POST', headers, body: leaveBody(display), keepalive: true }).catch(() => undefined);
}
