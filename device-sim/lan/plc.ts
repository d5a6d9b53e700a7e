import { CodedError } from '../../client/errors.ts';
import { hashOf } from '../random.ts';

/** Addresses 0–65535 of each table of Modbus. */
const TABLE_SIZE = 65_536;

/** A sensor behind an input register. */
interface Sensor {
  name: string;
  /** Of the register's value: 10 means tenths. */
  scale: number;
  /** The middle and how far it moves, in register values. */
  middle: number;
  swing: number;
  periodMs: number;
}

/** Input registers 0 to 3; register 4 counts seconds. */
const SENSORS: readonly Sensor[] = [
  { name: 'temperature', scale: 10, middle: 650, swing: 80, periodMs: 20_000 },
  { name: 'pressure', scale: 100, middle: 320, swing: 40, periodMs: 7_000 },
  { name: 'level', scale: 10, middle: 500, swing: 450, periodMs: 60_000 },
  { name: 'speed', scale: 1, middle: 1480, swing: 25, periodMs: 3_000 },
];
const SECONDS = SENSORS.length;

/**
 * The memory of a simulated PLC (SIM-08): input registers that change with seed and time alone, so that two runs of one clock
 * read the same; holding registers and coils that keep what is written.
 */
export class Plc {
  readonly #phase: number;
  readonly #now: () => number;
  readonly #registers = new Map<number, number>();
  readonly #coils = new Map<number, boolean>();

  constructor(seed: string, now: () => number = Date.now) {
    this.#phase = hashOf(seed) / 2 ** 32;
    this.#now = now;
  }

  /** Input register 0–65535 (function 4): sensors, a counter of seconds, zeros beyond. */
  inputRegister(address: number): number {
    const now = this.#now();
    const sensor = SENSORS[address];
    if (sensor !== undefined) {
      const angle = 2 * Math.PI * ((now / sensor.periodMs + this.#phase) % 1);
      return Math.round(sensor.middle + sensor.swing * Math.sin(angle));
    }
    return address === SECONDS ? Math.floor(now / 1000) % TABLE_SIZE : 0;
  }

  /** Discrete input 0–65535 (function 2): on while the sensor of that number is above its middle. */
  discreteInput(address: number): boolean {
    const sensor = SENSORS[address];
    return sensor !== undefined && this.inputRegister(address) > sensor.middle;
  }

  /** Holding register 0–65535 (function 3): what was written, at first zero. */
  register(address: number): number {
    return this.#registers.get(address) ?? 0;
  }

  /** @throws CodedError `VALUE_INVALID` for an address or a value that is not 0–65535 */
  setRegister(address: number, value: number): void {
    for (const number of [address, value]) {
      if (!Number.isInteger(number) || number < 0 || number >= TABLE_SIZE)
        throw new CodedError('VALUE_INVALID', 'A register and its value are whole numbers from 0 to 65535.');
    }
    this.#registers.set(address, value);
  }

  /** Coil 0–65535 (function 1). */
  coil(address: number): boolean {
    return this.#coils.get(address) ?? false;
  }

  setCoil(address: number, on: boolean): void {
    this.#coils.set(address, on);
  }

  /** What the sensors say now, in their units. */
  readings(): Record<string, number> {
    return Object.fromEntries(
      SENSORS.map(({ name, scale }, address) => [name, this.inputRegister(address) / scale] as const),
    );
  }
}
