/** The data of the L2 questions: a user of about 300 characters of JSON. */

export const userOf = (i) => ({
  id: i,
  name: `Name of user ${i}`,
  email: `user-${i}@example.com`,
  roles: ['reader', 'writer'],
  address: { street: `${i} Long Street`, city: 'Springfield', zip: String(10_000 + i) },
  settings: { theme: 'dark', language: 'en', notifications: { mail: true, push: false } },
  bio: 'Writes about caches, and about what they cost when they are wrong.',
})
