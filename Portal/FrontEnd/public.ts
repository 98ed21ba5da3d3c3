// The public page's script: one small classic file in the head, so that a chosen theme never flashes; everything else waits for the document.
import { applyTheme, offerThemes } from './public/theme';
import { showTimes } from './public/times';
import { countDown } from './public/countdown';
import { keepCurrent } from './public/live';
import { openDays } from './public/strips';
import { openTarget } from './public/fragments';
import { unfoldForPrint } from './public/print';

applyTheme();
addEventListener('DOMContentLoaded', () => {
  offerThemes();
  showTimes(document.body);
  countDown();
  openTarget();
  openDays();
  unfoldForPrint();
  keepCurrent();
});
