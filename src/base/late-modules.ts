/**
 * Modules of Node's that take from a quarter of a millisecond (os) to four (zlib) to load, loaded
 * by whoever first uses one: commands that start a container use none of them.
 */
export const nodeChildProcess = () => process.getBuiltinModule('node:child_process');
export const nodeCrypto = () => process.getBuiltinModule('node:crypto');
export const nodeOs = () => process.getBuiltinModule('node:os');
export const nodeStreamPromises = () => process.getBuiltinModule('node:stream/promises');
export const nodeUtil = () => process.getBuiltinModule('node:util');
export const nodeZlib = () => process.getBuiltinModule('node:zlib');
