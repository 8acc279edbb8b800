<?php
/**
 * Plugin Name: Löfte
 * Description: Nothing third-party loads and nothing is stored before a visitor says yes; privacy requests made in Löfte are carried out and read back here.
 * Version: 0.1.0
 * Requires at least: 6.1
 * Requires PHP: 7.4
 * License: GPL-2.0-or-later
 * License URI: https://www.gnu.org/licenses/gpl-2.0.html
 * Text Domain: lofte
 * Domain Path: /languages
 *
 * @package Lofte
 */

defined( 'ABSPATH' ) || exit;

define( 'LOFTE_FILE', __FILE__ );

require_once __DIR__ . '/includes/class-kit.php';
require_once __DIR__ . '/includes/class-tags.php';
require_once __DIR__ . '/includes/class-gate.php';
require_once __DIR__ . '/includes/class-page.php';
require_once __DIR__ . '/includes/class-forward.php';
require_once __DIR__ . '/includes/class-cookies.php';
require_once __DIR__ . '/includes/class-consent.php';
require_once __DIR__ . '/includes/class-privacy.php';
require_once __DIR__ . '/includes/class-rest.php';
require_once __DIR__ . '/includes/class-forms.php';
require_once __DIR__ . '/includes/class-settings.php';

Lofte\Forward::start();
Lofte\Page::start();
Lofte\Cookies::start();
Lofte\Consent::start();
Lofte\Privacy::start();
Lofte\Rest::start();
Lofte\Forms::start();
Lofte\Settings::start();
