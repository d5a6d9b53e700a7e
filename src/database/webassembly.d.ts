// Node has WebAssembly, but its types come only with the DOM library, which does not belong in a server.
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>;
};
