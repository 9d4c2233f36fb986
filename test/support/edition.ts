/**
 * Selects the tests: `npm test` omits slow tests that show little beyond quicker ones;
 * `npm run test:all` runs everything.
 */
export const everything = process.env["HYPERTOWER_TESTS"] === "all";
