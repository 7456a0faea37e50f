// A map of the newest entries only: memory is bounded whatever gateways send.

/** Keeps at most so many keys; the one that was put in first goes first. */
export class Bounded<K, V> {
  private readonly values = new Map<K, V>();

  constructor(private readonly max: number) {}

  put(key: K, value: V): void {
    this.values.set(key, value);
    for (const oldest of this.values.keys()) {
      if (this.values.size <= this.max) break;
      this.values.delete(oldest);
    }
  }

  get(key: K): V | undefined {
    return this.values.get(key);
  }
}
