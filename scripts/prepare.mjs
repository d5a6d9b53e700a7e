// What the other commands need before they can run: the packages, and the code generated from prisma/schema.prisma.
// The `pre…` scripts of package.json call it, so that a fresh clone needs no command but the one that is wanted.
// Imports nothing but Node's own modules, because there may be nothing else yet. With --regenerate it generates in any case.
import { ensureGenerated, regenerate } from './generated.mjs';
import { ensurePackages } from './packages.mjs';

await ensurePackages();
if (process.argv.includes('--regenerate')) await regenerate();
else await ensureGenerated();
