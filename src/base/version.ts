/** Kept equal to package.json by test/base/version.test.ts. */
export const VERSION = '0.1.0';
