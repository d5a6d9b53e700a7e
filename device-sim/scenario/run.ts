import { setTimeout as delay } from 'node:timers/promises';
import { deadline } from '../../client/deadline.ts';
import { codeOf, messageOf } from '../../client/errors.ts';
import { type PhoneNetwork, startPhoneNetwork } from '../phone-network.ts';
import { Summary, type SummaryReport } from '../summary.ts';
import { type Deed, deedsOf } from './actions.ts';
import { exceeds, meets, unmet } from './counts.ts';
import { EventLog, type ScenarioEvent } from './events.ts';
import type { ActionOf } from './format.ts';

import { type Platform, startOwnPlatform } from './platform.ts';
import type { PlannedStep, ScenarioPlan } from './read.ts';
import { msOf, offsetText } from './time.ts';
import { ADMINISTRATOR, buildWorld, leaveWorld, type World } from './world.ts';

export interface RunOptions {
  plan: ScenarioPlan;
  /** A platform that runs already, in simulation mode; without it the scenario starts one of its own. */
  platform?: Platform;
  /** By default made of the scenario's name and seed, so that another seed can run on the same platform. */
  account?: string;
  signal?: AbortSignal;
  /** One line: what is being done. */
  onProgress?: (text: string) => void;
}

/** What a scenario came to (SIM-09). */
export interface ScenarioResult extends SummaryReport {
  scenario: string;
  seed: string;
  /** Every expectation held (SIM-10). */
  ok: boolean;
  /** Sentences. */
  failures: string[];
  /** Those that were begun; the one that ended the run has an error. */
  steps: { name: string; at: string; seconds: number; error?: string }[];
  devices: { online: number; offline: number; waiting: number };
  /** Entries of the account's log since the first step. */
  eventCounts: Record<string, number>;
  events: ScenarioEvent[];
}

/**
 * Runs a scenario (SIM-03): every step at its time of the platform's clock, and what it causes awaited before the next. What
 * fails is in the result.
 *
 * @throws CodedError when the platform cannot be started or the account not be made
 */
export async function runScenario(options: RunOptions): Promise<ScenarioResult> {
  const { plan, onProgress = () => undefined } = options;
  // Of its own, since every device listens to it.
  using end = deadline(undefined, options.signal);
  const { signal } = end;
  const summary = new Summary();
  let own: { platform: Platform; phone: PhoneNetwork } | undefined;
  try {
    if (options.platform === undefined) {
      onProgress('starting a platform');
      own = await startOwn(plan, summary, signal);
    }
    const platform = options.platform ?? own?.platform;
    if (platform === undefined) throw new Error('There is no platform.');
    const world = await buildWorld({
      plan,
      platform,
      phone: own?.phone,
      summary,
      account: options.account ?? `${plan.name}-${plan.seed}`.slice(0, 40),
      signal,
      onProgress,
    });
    return await new Run(world, onProgress).run();
  } finally {
    await own?.platform.close();
    await own?.phone.close();
  }
}

async function startOwn(plan: ScenarioPlan, summary: Summary, signal: AbortSignal) {
  const phone = await startPhoneNetwork({ port: 0, onError: (error) => summary.failed(error) });
  const { url: smsUrl } = phone;
  try {
    const platform = await startOwnPlatform({ env: plan.platform, signal, ...(smsUrl !== undefined && { smsUrl }) });
    return { phone, platform };
  } catch (error) {
    await phone.close();
    throw error;
  }
}

/** Thrown to end a run whose failure has been noted. */
class Failed extends Error {}

/** One run of a scenario. */
class Run {
  readonly #world: World;
  readonly #log: EventLog;
  readonly #onProgress: (text: string) => void;
  readonly #failures: string[] = [];
  readonly #steps: ScenarioResult['steps'] = [];
  #startMs = 0;

  constructor(world: World, onProgress: (text: string) => void) {
    this.#world = world;
    this.#log = new EventLog(world.administrator, ADMINISTRATOR, world.plan.grainMs);
    this.#onProgress = onProgress;
  }

  async run(): Promise<ScenarioResult> {
    const { administrator, plan, signal, summary } = this.#world;
    let devices: ScenarioResult['devices'] | undefined;
    try {
      await this.#log.endStretch('BY_TEXT');
      const start = await administrator.clock();
      this.#startMs = start.getTime();
      this.#log.begin(start);
      summary.begin();
      for (const step of plan.steps) await this.#step(step);
      devices = await this.#devices();
      await this.#expect(devices);
    } catch (error) {
      if (signal.aborted) this.#failures.push('it was stopped');
      else if (!(error instanceof Failed)) this.#failures.push(`${messageOf(error)} (${codeOf(error)})`);
      // What led to it is worth reading.
      await this.#log.endStretch('AS_WRITTEN').catch(() => undefined);
      // Before they leave. The platform of a run that was stopped is not asked any more.
      devices ??= await this.#devices().catch(() => countOwn(this.#world));
    } finally {
      await leaveWorld(this.#world);
    }
    return this.#result(devices);
  }

  /** Does a step and notes it, also when it fails. */
  async #step(step: PlannedStep): Promise<void> {
    this.#world.signal.throwIfAborted();
    const started = performance.now();
    const failures = this.#failures.length;
    let error: string | undefined;
    try {
      await this.#play(step);
    } catch (reason) {
      const noted = this.#failures.slice(failures).map((failure) => failure.replace(`step ${step.name}: `, ''));
      const stopped = this.#world.signal.aborted ? 'stopped' : `${messageOf(reason)} (${codeOf(reason)})`;
      error = noted.length > 0 ? noted.join('; ') : stopped;
      throw reason;
    } finally {
      const seconds = Math.round((performance.now() - started) / 10) / 100;
      this.#steps.push({ name: step.name, at: offsetText(step.atMs), seconds, ...(error !== undefined && { error }) });
    }
  }

  async #play(step: PlannedStep): Promise<void> {
    const { administrator } = this.#world;
    await this.#goTo(step);
    const withinMs = msOf(step.within);
    const deeds = step.actions.flatMap(({ name, argument }) =>
      // The form has been validated by the name.
      deedsOf(this.#world, name, argument as ActionOf<typeof name>, withinMs).map((deed) => ({ name, deed })),
    );
    let done = 0;
    const perform = async ({ name, deed }: { name: string; deed: Deed }) => {
      await this.#perform(step, name, deed);
      this.#onProgress(`${offsetText(step.atMs)} ${step.name}: ${++done}/${deeds.length}`);
    };
    if (step.together) {
      const results = await Promise.allSettled(deeds.map(perform));
      for (const result of results) if (result.status === 'rejected') throw result.reason;
    } else {
      for (const deed of deeds) await perform(deed);
    }
    await this.#see(step, withinMs);
    const latestMs = await this.#log.endStretch(step.together ? 'BY_TEXT' : 'AS_WRITTEN');
    const nowMs = (await administrator.clock()).getTime() - this.#startMs;
    this.#mustFit(step, Math.max(latestMs, nowMs));
  }

  /** Moves the platform's clock to the time of a step; what falls due on the way belongs to no step. */
  async #goTo(step: PlannedStep): Promise<void> {
    const { administrator } = this.#world;
    const aheadMs = this.#startMs + step.atMs - (await administrator.clock()).getTime();
    if (aheadMs <= 0) return;
    await administrator.advanceTo(new Date(this.#startMs + step.atMs));
    await this.#log.endStretch('BY_TEXT');
  }

  async #perform(step: PlannedStep, name: string, deed: Deed): Promise<void> {
    const { summary, plan, signal } = this.#world;
    const started = performance.now();
    try {
      await deed();
      summary.took(name, performance.now() - started);
    } catch (error) {
      signal.throwIfAborted();
      summary.failed(error);
      if (plan.expect.errors[codeOf(error)] !== undefined) return;
      this.#failures.push(`step ${step.name}: ${name}: ${messageOf(error)} (${codeOf(error)})`);
      throw new Failed();
    }
  }

  /** Waits until the events have been seen that a step expects. */
  async #see(step: PlannedStep, withinMs: number): Promise<void> {
    const latest = Date.now() + withinMs;
    for (;;) {
      const seen = await this.#log.present();
      const countOf = (code: string) => seen.get(code) ?? 0;
      const missing = Object.entries(step.see).filter(([code, count]) => !meets(count, countOf(code)));
      if (missing.length === 0) return;
      if (Date.now() > latest || missing.some(([code, count]) => exceeds(count, countOf(code)))) {
        this.#failures.push(...unmet(`step ${step.name}: event`, step.see, countOf));
        throw new Failed();
      }
      await delay(100, undefined, { signal: this.#world.signal });
    }
  }

  /** The times of events are told by the grain, so what a step does has to fit into one. */
  #mustFit(step: PlannedStep, latestMs: number): void {
    const { grainMs } = this.#world.plan;
    if (latestMs < step.atMs + grainMs) return;
    const took = `${Math.ceil((latestMs - step.atMs) / 1000)} s, longer than the grain of ${grainMs / 1000} s`;
    this.#failures.push(`step ${step.name}: took ${took}: make grain and times longer, or the step smaller`);
    throw new Failed();
  }

  async #devices(): Promise<ScenarioResult['devices']> {
    const found = { online: 0, offline: 0, waiting: 0 };
    for (const { status, registrationStatus } of (await this.#world.states.look()).values()) {
      if (registrationStatus === 'PENDING_APPROVAL') found.waiting += 1;
      else if (status === 'ONLINE' || status === 'CONNECTED') found.online += 1;
      else found.offline += 1;
    }
    return found;
  }

  async #expect(devices: ScenarioResult['devices']): Promise<void> {
    const { plan, administrator, summary } = this.#world;
    const { expect } = plan;
    const events = this.#log.counts();
    const countOf = (code: string) => events.get(code) ?? 0;
    const sessions = {
      opened: countOf('SESSION_STARTED'),
      refused: countOf('SESSION_REFUSED'),
      closed: countOf('SESSION_CLOSED'),
      open: await administrator.openSessions(),
    };
    const errors = summary.report().errors;
    this.#failures.push(
      ...unmet('devices', expect.devices, (name) => devices[name as keyof typeof devices]),
      ...unmet('sessions', expect.sessions, (name) => sessions[name as keyof typeof sessions]),
      ...unmet('event', expect.events, countOf),
      ...unmet('error', expect.errors, (code) => errors[code] ?? 0),
    );
  }

  #result(devices: ScenarioResult['devices']): ScenarioResult {
    const { plan, summary } = this.#world;
    return {
      scenario: plan.name,
      seed: plan.seed,
      ok: this.#failures.length === 0,
      failures: this.#failures,
      steps: this.#steps,
      devices,
      eventCounts: Object.fromEntries([...this.#log.counts()].sort(([one], [other]) => (one < other ? -1 : 1))),
      ...summary.report(),
      events: this.#log.events,
    };
  }
}

/** The devices as they see themselves. */
function countOwn({ devices }: World): ScenarioResult['devices'] {
  const states = [...devices.values()].map(({ tunnelState }) => tunnelState);
  const [online, waiting] = ['online', 'waiting'].map((state) => states.filter((one) => one === state).length) as [
    number,
    number,
  ];
  return { online, offline: states.length - online - waiting, waiting };
}
