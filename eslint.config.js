import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const tests = ['**/*.test.ts', 'test/**/*.ts', 'packages/testing/**/*.ts'];

export default defineConfig([
  globalIgnores(['**/dist/', '**/node_modules/', '.cache/', 'coverage/']),
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrors: 'all' }],
      // Strangers' objects (manifests, events, answers) have types that say what is expected, and code that does not believe it.
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-base-to-string': 'off',
      // An index that is known to be within bounds; and the characters of a text.
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-misused-spread': 'off',
      // `get<T>()`: what the caller expects to be there.
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Matters of taste where both forms are plain.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/no-extraneous-class': 'off',
      // Collaborators are objects of functions without `this`, and some of them have nothing to wait for.
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
      'no-control-regex': 'error',
      'no-param-reassign': 'error',
    },
  },
  {
    // What an action has from the runner it has from its Host.
    files: ['actions/*/src/**/*.ts', 'packages/core/src/**/*.ts'],
    ignores: ['**/*.test.ts', 'packages/core/src/action/entry.ts'],
    rules: {
      'no-console': 'error',
      'no-restricted-globals': ['error', { name: 'process', message: 'take it from the Host that the entry makes' }],
      'no-restricted-imports': ['error', { paths: [{ name: 'node:process', message: 'take it from the Host that the entry makes' }] }],
    },
  },
  {
    files: tests,
    rules: {
      // expect.any() and parsed JSON are any; a test that is wrong there fails.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      // Cases of a table are typed by the table.
      '@typescript-eslint/explicit-module-boundary-types': 'off',
      'no-restricted-syntax': [
        'error',
        {
          selector: 'MemberExpression[object.name=/^(it|test|describe)$/][property.name=/^(only|skip|todo|failing)$/]',
          message: 'every test runs',
        },
        {
          selector: "MemberExpression[object.name='jest'][property.name=/^(mock|doMock|unstable_mockModule)$/]",
          message: 'pass a collaborator in instead',
        },
      ],
    },
  },
]);
