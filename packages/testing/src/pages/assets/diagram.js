// Draws the diagram whose source stands in the address, and tells the page how high it is.
import mermaid from '/-/vendor/mermaid/mermaid.esm.min.mjs';

const dark = matchMedia('(prefers-color-scheme: dark)');
const source = decodeURIComponent(location.hash.slice(1));

async function draw() {
  mermaid.initialize({ startOnLoad: false, securityLevel: 'strict', theme: dark.matches ? 'dark' : 'default' });
  try {
    const { svg } = await mermaid.render('diagram', source);
    document.body.innerHTML = svg;
  } catch (error) {
    const text = document.createElement('pre');
    text.textContent = `Unable to render rich display\n\n${error.message}`;
    document.body.replaceChildren(text);
  }
  parent.postMessage({ height: document.body.scrollHeight }, '*');
}

dark.addEventListener('change', draw);
await draw();
addEventListener('resize', () => parent.postMessage({ height: document.body.scrollHeight }, '*'));
