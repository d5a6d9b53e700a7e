/** A token bucket: so many messages a minute on average, and as many at once. */
export class MessageBudget {
  private left: number;
  private atMs: number;

  constructor(
    private readonly perMinute: number,
    private readonly nowMs: () => number,
  ) {
    this.left = perMinute;
    this.atMs = nowMs();
  }

  /** Takes so many messages; false when there are not as many left. */
  take(messages = 1): boolean {
    const now = this.nowMs();
    const earned = this.left + ((now - this.atMs) / 60_000) * this.perMinute;
    this.left = Math.max(this.left, Math.min(this.perMinute, earned));
    this.atMs = now;
    this.left -= messages;
    return this.left >= 0;
  }

  /** One message more, beyond the average: the answer to a question. At most twice as many as a minute has can gather. */
  grant(): void {
    this.left = Math.min(2 * this.perMinute, this.left + 1);
  }
}
