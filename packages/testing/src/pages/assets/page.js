// A diagram's frame becomes as high as its diagram; nothing else of what a frame says is believed.
addEventListener('message', ({ source, data }) => {
  for (const frame of document.querySelectorAll('iframe.diagram')) {
    if (frame.contentWindow === source && Number.isFinite(data?.height)) frame.style.height = `${Math.min(Math.ceil(data.height), 2000)}px`;
  }
});
