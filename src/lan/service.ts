import type { ActorContext } from '../context.ts';
import { isUniqueViolation } from '../database/retry.ts';
import { AppError, notFound } from '../errors.ts';
import { ewonSubject, type FoundEwon, findEwon } from '../ewons/find.ts';
import { ewonActions } from '../ewons/rules.ts';
import type { FirewallLevel, LanDevice, LanProtocol } from '../generated/prisma/client.ts';
import type { AccountTx } from '../log/write.ts';
import { inAccountAs } from '../users/acting.ts';
import type { Actor } from '../users/actor.ts';
import { actorSubject } from '../users/rules.ts';
import { isLanHost, lanDevicesVisibleTo, levelsOf } from './rules.ts';

/** A port with what is spoken there. */
export interface Port {
  /** 1–65535 */
  port: number;
  protocol: LanProtocol;
}

/** What people write about a LAN device (LAN-04). Absent keeps, null clears; `ports` are all of them. */
export interface LanDeviceProperties {
  name?: string | undefined;
  description?: string | null | undefined;
  address?: string | undefined;
  ports?: readonly Port[] | undefined;
}

/** What people write about a server of the Ewon itself (LAN-05). Absent keeps, null clears. */
export interface ServiceProperties {
  name?: string | undefined;
  description?: string | null | undefined;
  port?: number | undefined;
  protocol?: LanProtocol | undefined;
}

/**
 * Chooses the firewall level of an Ewon (LAN-02). Live streams are judged anew at once (LAN-16); the level that is in force
 * changes nothing.
 * @throws AppError NOT_FOUND, FORBIDDEN (LAN-14), FIREWALL_LEVEL_NOT_AVAILABLE (LAN-12)
 */
export function setFirewallLevel(ctx: ActorContext, ewonId: string, level: FirewallLevel): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const ewon = await findEwonToModify(account, actor, ewonId);
    if (!levelsOf(actor.plan).includes(level))
      throw new AppError('FIREWALL_LEVEL_NOT_AVAILABLE', `The plan ${actor.plan} does not have the level ${level}.`, [
        'level',
      ]);
    if (level === ewon.firewallLevel) return;
    await account.tx.ewon.update({ where: { id: ewonId }, data: { firewallLevel: level } });
    account.log({
      code: 'EWON_FIREWALL_CHANGED',
      user: actorSubject(actor),
      ewon: ewonSubject(ewon),
      params: { from: ewon.firewallLevel, to: level },
    });
    account.afterCommit(() => ctx.bell.ring('ewons'));
  });
}

/**
 * Declares a machine behind an Ewon (LAN-01). Names need not differ: ids tell devices apart.
 * @throws AppError NOT_FOUND, FORBIDDEN (LAN-14), IP_NOT_IN_LAN, LAN_PORT_IN_USE (LAN-13), LAN_LIMIT_REACHED
 */
export function createLanDevice(
  ctx: ActorContext,
  ewonId: string,
  { name, description, address, ports = [] }: LanDeviceProperties & { name: string; address: string },
): Promise<string> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now } = account;
    const ewon = await findEwonToModify(account, actor, ewonId);
    requireRoom(await tx.lanDevice.count({ where: { ewonId } }), ctx.config.limits.LAN_DEVICES_PER_EWON, 'LAN devices');
    requireLanHost(ewon, address);
    requirePorts(ctx, ports);
    const { id } = await tx.lanDevice.create({
      data: { ewonId, name, description: description ?? null, address, createdAt: now },
    });
    await writePorts(account, { id, ewonId, address }, ports);
    logChange(ctx, account, actor, ewon, `LAN device ${name} added (${addressText(address, ports)})`);
    return id;
  }).catch(portInUse('ports'));
}

/** @throws AppError NOT_FOUND, FORBIDDEN (LAN-14), IP_NOT_IN_LAN, LAN_PORT_IN_USE (LAN-13), LAN_LIMIT_REACHED */
export function updateLanDevice(
  ctx: ActorContext,
  deviceId: string,
  { name, description, address, ports }: LanDeviceProperties,
): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx } = account;
    const device = await findDevice(account, actor, deviceId);
    const ewon = await findEwonToModify(account, actor, device.ewonId);
    const moved = address !== undefined && address !== device.address;
    if (moved) requireLanHost(ewon, address);
    if (ports) requirePorts(ctx, ports);
    const after = await tx.lanDevice.update({
      where: { id: deviceId },
      data: {
        ...(name !== undefined && { name }),
        ...(description !== undefined && { description }),
        ...(moved && { address }),
      },
    });
    if (ports) {
      await tx.lanPort.deleteMany({ where: { deviceId } });
      await writePorts(account, after, ports);
    } else if (moved) await tx.lanPort.updateMany({ where: { deviceId }, data: { address } });
    const all = await tx.lanPort.findMany({ where: { deviceId }, orderBy: [{ port: 'asc' }, { protocol: 'asc' }] });
    const renamed = after.name === device.name ? '' : `, before ${device.name}`;
    const change = `LAN device ${after.name}${renamed} changed (${addressText(after.address, all)})`;
    logChange(ctx, account, actor, ewon, change);
  }).catch(portInUse('ports'));
}

/** @throws AppError NOT_FOUND, FORBIDDEN (LAN-14) */
export function deleteLanDevice(ctx: ActorContext, deviceId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const device = await findDevice(account, actor, deviceId);
    const ewon = await findEwonToModify(account, actor, device.ewonId);
    await account.tx.lanDevice.delete({ where: { id: deviceId } });
    logChange(ctx, account, actor, ewon, `LAN device ${device.name} removed (${device.address})`);
  });
}

/**
 * Declares a server of the Ewon itself (LAN-05).
 * @throws AppError NOT_FOUND, FORBIDDEN (LAN-14), LAN_PORT_IN_USE (LAN-13), LAN_LIMIT_REACHED
 */
export function createEwonService(
  ctx: ActorContext,
  ewonId: string,
  { name, description, port, protocol }: ServiceProperties & Port & { name: string },
): Promise<string> {
  return inAccountAs(ctx, async (account, actor) => {
    const { tx, now } = account;
    const ewon = await findEwonToModify(account, actor, ewonId);
    requireRoom(await tx.ewonService.count({ where: { ewonId } }), ctx.config.limits.SERVICES_PER_EWON, 'services');
    const { id } = await tx.ewonService.create({
      data: { ewonId, name, description: description ?? null, port, protocol, createdAt: now },
    });
    logChange(ctx, account, actor, ewon, `service ${name} added (${portText({ port, protocol })})`);
    return id;
  }).catch(portInUse('port'));
}

/** @throws AppError NOT_FOUND, FORBIDDEN (LAN-14), LAN_PORT_IN_USE (LAN-13) */
export function updateEwonService(ctx: ActorContext, serviceId: string, properties: ServiceProperties): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const service = await findService(account, actor, serviceId);
    const ewon = await findEwonToModify(account, actor, service.ewonId);
    const { name, description, port, protocol } = properties;
    const after = await account.tx.ewonService.update({
      where: { id: serviceId },
      data: {
        ...(name !== undefined && { name }),
        ...(description !== undefined && { description }),
        ...(port !== undefined && { port }),
        ...(protocol !== undefined && { protocol }),
      },
    });
    const renamed = after.name === service.name ? '' : `, before ${service.name}`;
    logChange(ctx, account, actor, ewon, `service ${after.name}${renamed} changed (${portText(after)})`);
  }).catch(portInUse('port'));
}

/** @throws AppError NOT_FOUND, FORBIDDEN (LAN-14) */
export function deleteEwonService(ctx: ActorContext, serviceId: string): Promise<void> {
  return inAccountAs(ctx, async (account, actor) => {
    const service = await findService(account, actor, serviceId);
    const ewon = await findEwonToModify(account, actor, service.ewonId);
    await account.tx.ewonService.delete({ where: { id: serviceId } });
    logChange(ctx, account, actor, ewon, `service ${service.name} removed (${portText(service)})`);
  });
}

/** LAN-14: what lies behind an Ewon is edited with the right that its other properties need (EWN-12). */
async function findEwonToModify({ tx }: AccountTx, actor: Actor, ewonId: string): Promise<FoundEwon> {
  const ewon = await findEwon(tx, actor, ewonId);
  if (!ewonActions(actor, ewon).includes('MODIFY')) throw new AppError('FORBIDDEN', `You may not modify ${ewon.name}.`);
  return ewon;
}

async function findDevice({ tx }: AccountTx, actor: Actor, id: string): Promise<LanDevice> {
  const device = await tx.lanDevice.findFirst({ where: { AND: [{ id }, lanDevicesVisibleTo(actor)] } });
  if (!device) throw notFound('LAN device');
  return device;
}

async function findService({ tx }: AccountTx, actor: Actor, id: string) {
  const service = await tx.ewonService.findFirst({ where: { AND: [{ id }, lanDevicesVisibleTo(actor)] } });
  if (!service) throw notFound('service');
  return service;
}

function requireRoom(present: number, most: number, what: string): void {
  if (present >= most) throw new AppError('LAN_LIMIT_REACHED', `An Ewon has at most ${most} ${what}.`);
}

/** LAN-13. While the device has not told its LAN, every address is taken. */
function requireLanHost({ lanAddress }: FoundEwon, address: string): void {
  if (lanAddress !== null && !isLanHost(lanAddress, address))
    throw new AppError('IP_NOT_IN_LAN', `Not an address of another host in the LAN of the Ewon, ${lanAddress}.`, [
      'address',
    ]);
}

function requirePorts({ config }: ActorContext, ports: readonly Port[]): void {
  const most = config.limits.LAN_PORTS_PER_DEVICE;
  if (ports.length > most)
    throw new AppError('LAN_LIMIT_REACHED', `A LAN device has at most ${most} ports.`, ['ports']);
}

/** That address, port and protocol differ is the database's to see (LAN-13), also within the list itself. */
async function writePorts(
  { tx }: AccountTx,
  { id: deviceId, ewonId, address }: Pick<LanDevice, 'id' | 'ewonId' | 'address'>,
  ports: readonly Port[],
): Promise<void> {
  await tx.lanPort.createMany({
    data: ports.map(({ port, protocol }) => ({ deviceId, ewonId, address, port, protocol })),
  });
}

const portInUse =
  (field: string) =>
  (error: unknown): never => {
    if (isUniqueViolation(error))
      throw new AppError('LAN_PORT_IN_USE', 'Address, port and protocol are declared already.', [field]);
    throw error;
  };

function logChange(ctx: ActorContext, account: AccountTx, actor: Actor, ewon: FoundEwon, change: string): void {
  account.log({
    code: 'EWON_LAN_CHANGED',
    user: actorSubject(actor),
    ewon: ewonSubject(ewon),
    params: { change },
  });
  account.afterCommit(() => ctx.bell.ring('ewons'));
}

const portText = ({ port, protocol }: Port): string => `${protocol} ${port}`;

/** `10.0.0.20: HTTP 80, TCP 502` */
const addressText = (address: string, ports: readonly Port[]): string =>
  ports.length === 0 ? address : `${address}: ${ports.map(portText).join(', ')}`;
