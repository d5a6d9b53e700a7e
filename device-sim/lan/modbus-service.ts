import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { ServerTCP } from 'modbus-serial';
import type { LoopbackServer } from './loopback.ts';
import type { Plc } from './plc.ts';

/** A Modbus TCP server for the registers of a PLC; it answers to every unit. */
export async function startModbusService(plc: Plc): Promise<LoopbackServer> {
  const vector = {
    getInputRegister: (address: number) => plc.inputRegister(address),
    getHoldingRegister: (address: number) => plc.register(address),
    getDiscreteInput: (address: number) => plc.discreteInput(address),
    getCoil: (address: number) => plc.coil(address),
    setRegister: (address: number, value: number) => plc.setRegister(address, value),
    setCoil: (address: number, on: boolean) => plc.setCoil(address, on),
  };
  // The library takes port 0 for "none given", so a free one is asked for in words; and it shows its address to nobody.
  const options = { host: '127.0.0.1', port: '0' as unknown as number };
  const modbus = new ServerTCP(vector, options) as ServerTCP & { _server: Server };
  modbus.on('error', () => undefined);
  modbus.on('socketError', () => undefined);
  await Promise.race([
    once(modbus, 'initialized'),
    once(modbus, 'serverError').then(([error]: unknown[]) => {
      throw error;
    }),
  ]);
  return {
    port: (modbus._server.address() as AddressInfo).port,
    close: () => new Promise((resolve) => modbus.close(() => resolve())),
  };
}
