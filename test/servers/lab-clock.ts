/**
 * The time that all stand-ins live in: the machine's clock plus an offset. A test moves the offset to make servers and
 * clients disagree, or to let tokens grow old without waiting.
 */
export class LabClock {
  /** Seconds that the servers are ahead of the machine; negative when they are behind. */
  offsetSeconds = 0;

  nowMilliseconds(): number {
    return Date.now() + this.offsetSeconds * 1000;
  }

  /** Whole seconds since 1970, as JWT claims want them. */
  nowSeconds(): number {
    return Math.floor(this.nowMilliseconds() / 1000);
  }

  /** RFC 9110 form, as the `Date` header has it. */
  httpDate(): string {
    return new Date(this.nowMilliseconds()).toUTCString();
  }

  /** RFC 3339 form in UTC. */
  isoTime(): string {
    return new Date(this.nowMilliseconds()).toISOString();
  }
}
