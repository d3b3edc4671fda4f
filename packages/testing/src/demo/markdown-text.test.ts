import { expect, it } from '@jest/globals';
import { markdownText } from './markdown-text.ts';

it('makes a report readable', () => {
  const report = `<!-- marker -->
## ✅ Better · digits

\`accuracy\` is **0.99**, was [0.97](https://example.com).

| metric | this |
|---|---:|
| \`accuracy\` | 0.99 |
| long name | 1 |

- one<br>two
- a
  1. b

> quoted

accuracy 🟦 this

\`\`\`mermaid
xychart-beta
\`\`\`

<details><summary>Folded</summary>

inside

<details><summary>Deeper</summary>

inside

</details>

</details>

\`\`\`
/train
\`\`\`
`;
  expect(markdownText(report)).toBe(
    `✅ Better · digits

accuracy is 0.99, was 0.97.

metric      this
────────────────
accuracy    0.99
long name      1

- one
  two
- a
  1. b

│ quoted

    /train`,
  );
});
