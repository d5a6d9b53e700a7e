const UNIT_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const PATTERN = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/;

/** `0`, `90s`, `1.5h`, `2d` in milliseconds; undefined when it is no time. */
export function durationMs(text: string | number): number | undefined {
  if (text === 0 || text === '0') return 0;
  const [, number, unit] = PATTERN.exec(String(text)) ?? [];
  return number === undefined ? undefined : Math.round(Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS]);
}

/** The same, of a text that was validated. */
export function msOf(text: string | number): number {
  const ms = durationMs(text);
  if (ms === undefined) throw new RangeError(`${text} is no time.`);
  return ms;
}

/** `+2d 03:04:05`: a time after the start of a scenario. */
export function offsetText(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  const digits = (value: number) => String(value).padStart(2, '0');
  const days = Math.floor(seconds / 86_400);
  const clock = [Math.floor(seconds / 3600) % 24, Math.floor(seconds / 60) % 60, seconds % 60].map(digits).join(':');
  return days > 0 ? `+${days}d ${clock}` : `+${clock}`;
}
