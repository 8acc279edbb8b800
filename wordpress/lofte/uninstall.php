<?php
/**
 * Takes everything of this plugin away, on each site of a network: settings, kept answers, nonces, the marks on requests.
 *
 * @package Lofte
 */

defined( 'WP_UNINSTALL_PLUGIN' ) || exit;

$lofte_sites = is_multisite() ? get_sites( array( 'fields' => 'ids', 'number' => 0 ) ) : array( get_current_blog_id() );
foreach ( $lofte_sites as $lofte_site ) {
	if ( is_multisite() ) {
		switch_to_blog( $lofte_site );
	}
	global $wpdb;
	delete_option( 'lofte_settings' );
	delete_transient( 'lofte_kit' );
	delete_transient( 'lofte_kit_failed' );
	delete_post_meta_by_key( '_lofte_request' );
	$wpdb->query( "DELETE FROM $wpdb->options WHERE option_name LIKE '\\_transient\\_lofte\\_%' OR option_name LIKE '\\_transient\\_timeout\\_lofte\\_%'" ); // phpcs:ignore WordPress.DB
	if ( is_multisite() ) {
		restore_current_blog();
	}
}
