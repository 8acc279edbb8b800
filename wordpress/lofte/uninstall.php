<?php
/**
 * Takes everything of this plugin away: settings, kept answers, nonces, the marks on requests.
 *
 * @package Lofte
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

delete_option( 'lofte_settings' );
delete_transient( 'lofte_kit' );
delete_transient( 'lofte_kit_failed' );
delete_post_meta_by_key( '_lofte_request' );
global $wpdb;
$wpdb->query( "DELETE FROM $wpdb->options WHERE option_name LIKE '\\_transient\\_lofte\\_%' OR option_name LIKE '\\_transient\\_timeout\\_lofte\\_%'" ); // phpcs:ignore WordPress.DB
