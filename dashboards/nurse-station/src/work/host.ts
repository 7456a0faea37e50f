// The worker as the page holds it: begins it, and begins another one in the place of one that is dead.

import type { FromWorker, ToWorker } from './protocol';

export class Host {
  private worker: Worker;

  constructor(
    private readonly begin: ToWorker,
    private readonly take: (message: FromWorker) => void,
  ) {
    this.worker = this.start();
  }

  readonly post = (message: ToWorker, transfer: Transferable[] = []): void => {
    this.worker.postMessage(message, transfer);
  };

  /** What the one before knew is gone with it, and so are the canvases that it was given. */
  restart(): void {
    this.worker.terminate();
    this.worker = this.start();
  }

  private start(): Worker {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>): void => {
      if (worker === this.worker) this.take(data);
    };
    worker.postMessage(this.begin);
    return worker;
  }
}
