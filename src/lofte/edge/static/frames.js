// Held frames (docs/explanation/consent-and-the-gate.md): once loads this frame and remembers nothing, always records
// a consent. Nothing is asked of the frame's host before one of the two is pressed.
(() => {
  'use strict';
  const form = document.querySelector('#lofte-banner form');
  const offer = form && Object.fromEntries(new FormData(form));
  const asked = form ? [...form.querySelectorAll('[data-lofte-purpose]')].map((box) => box.dataset.loftePurpose) : [];
  const frameOf = (box) => {
    const next = box.nextElementSibling;
    return next && next.matches('iframe[data-lofte-src]') ? next : null;
  };

  const once = (box, frame) => {
    const address = new URL(frame.dataset.lofteSrc, document.baseURI).href;
    if (!frame.title) frame.title = box.getAttribute('aria-label');
    frame.src = '/lofte/frame?src=' + encodeURIComponent(address);
    frame.hidden = false;
    frame.focus();
  };

  const settings = (box) => box.querySelector('[data-lofte=settings]').click();

  const always = async (box, frame, button) => {
    const gate = self.lofte;
    if (!offer || !gate) return settings(box);
    const wanted = new Set([...gate.granted, ...button.dataset.purposes.split(' ')]);
    const choices = Object.fromEntries(asked.map((purpose) => [purpose, wanted.has(purpose)]));
    button.disabled = true;
    const answer = await fetch('/lofte/consent', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        token: offer.token,
        market: offer.market,
        locale: offer.locale,
        publication: offer.publication,
        wording: button.dataset.wording || offer.wording,
        action: 'decide',
        choices,
        once: [...crypto.getRandomValues(new Uint32Array(4))].map((part) => part.toString(36).padStart(7, '0')).join(''),
      }),
    }).catch(() => null);
    button.disabled = false;
    if (!answer || answer.status !== 201) return settings(box);
    gate.choose(); // releases the frame, or loads the page anew where its policy cannot be widened
    if (!frame.hidden) frame.focus();
  };

  let count = 0;
  const enliven = () => {
    for (const box of document.querySelectorAll('[data-lofte=held-frame]:not([data-live])')) {
      if (!box.querySelector('[data-lofte=once]') || !frameOf(box)) continue;
      box.dataset.live = '';
      for (const part of box.querySelectorAll('[hidden]')) part.hidden = false;
      const why = box.querySelector('[data-lofte=why]');
      why.id = 'lofte-why-frame-' + ++count;
      box.querySelector('[data-lofte=always]').setAttribute('aria-describedby', why.id);
    }
  };
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-lofte=held-frame] button');
    const box = button && button.closest('[data-lofte=held-frame]');
    const frame = box && frameOf(box);
    if (!frame) return;
    if (button.dataset.lofte === 'once') once(box, frame);
    else if (button.dataset.lofte === 'always') always(box, frame, button);
  });
  enliven();
  document.addEventListener('DOMContentLoaded', enliven);
})();
