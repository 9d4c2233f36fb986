/**
 * Which tests run: `npm test` leaves out what takes long and shows little that a
 * quicker test does not; `npm run test:all` runs everything.
 */
export const everything = process.env["HYPERTOWER_TESTS"] === "all";
