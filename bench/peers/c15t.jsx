// A page with c15t's own React components, in the mode that needs no server of theirs. Bundled by bench/clients.py.
import { createRoot } from 'react-dom/client';
import { ConsentBanner, ConsentDialog, ConsentManagerProvider, useConsentManager } from '@c15t/react';
import '@c15t/react/styles.css';

const options = {
  mode: 'offline',
  consentCategories: ['necessary', 'measurement', 'marketing'],
  overrides: { country: 'GB' },
};

function Settings() {
  const manager = useConsentManager();
  return <button type="button" id="settings" onClick={() => manager.setActiveUI('dialog')}>Cookie settings</button>;
}

createRoot(document.getElementById('consent')).render(
  <ConsentManagerProvider options={options}>
    <ConsentBanner />
    <ConsentDialog />
    <Settings />
  </ConsentManagerProvider>,
);
