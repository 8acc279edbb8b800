<?php
/**
 * Answers for the WP Consent API, on the server and in the browser: its categories are the purposes of the policy, and what
 * holds is what the visitor told Löfte. Nobody else's code can say yes for them, and none of the API's own cookies is kept.
 *
 * @package Lofte
 */

namespace Lofte;

defined( 'ABSPATH' ) || exit;

final class Consent {
	public static function start(): void {
		add_filter( 'wp_consent_api_registered_' . plugin_basename( LOFTE_FILE ), '__return_true' );
		add_filter( 'wp_get_consent_type', array( __CLASS__, 'type' ), PHP_INT_MAX );
		add_filter( 'wp_has_consent', array( __CLASS__, 'has' ), PHP_INT_MAX, 2 );
		add_filter( 'wp_has_service_consent', array( __CLASS__, 'has_service' ), PHP_INT_MAX, 2 );
		add_filter( 'wp_is_service_denied', array( __CLASS__, 'is_service_denied' ), PHP_INT_MAX, 2 );
		add_action( 'wp_enqueue_scripts', array( __CLASS__, 'script' ), PHP_INT_MAX );
	}

	/** @return array<string, string> Which purpose answers for which category. */
	private static function purposes(): array {
		return (array) apply_filters(
			'lofte_consent_categories',
			array( 'functional' => 'necessary', 'statistics' => 'statistics', 'statistics-anonymous' => 'statistics', 'marketing' => 'marketing', 'preferences' => 'preferences' )
		);
	}

	public static function type(): string {
		return Kit::current()->is_denied || in_array( 'opt_in', Kit::current()->many( 'models' ), true ) ? 'optin' : 'optout';
	}

	public static function has( $has, $category ): bool {
		$purpose = self::purposes()[ $category ] ?? '';
		return 'necessary' === $purpose || ( '' !== $purpose && Kit::current()->allows( $purpose ) );
	}

	/** A service has what its category has: a choice is made by purpose. */
	public static function has_service( $has, $service ): bool {
		return self::has( $has, (string) \WP_Consent_API::$cookie_info->get_service_category( $service ) );
	}

	public static function is_service_denied( $denied, $service ): bool {
		return ! self::has_service( false, $service );
	}

	/** The same bytes for everyone: the guard says in the browser what is allowed. */
	public static function script(): void {
		if ( ! wp_script_is( 'wp-consent-api', 'enqueued' ) ) {
			return;
		}
		$kit   = Kit::current();
		$free  = array_keys( array_filter( self::purposes(), static function ( $purpose ) use ( $kit ) {
			return 'necessary' === $purpose || $kit->is_necessary( $purpose );
		} ) );
		$given = wp_json_encode( array( 'type' => self::type(), 'of' => (object) self::purposes(), 'free' => $free ) );
		wp_add_inline_script( 'wp-consent-api', ";(function(L){\n" . (string) file_get_contents( __DIR__ . '/consent.js' ) . "})($given)" );
	}
}
