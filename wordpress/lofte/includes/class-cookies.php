<?php
/**
 * Cookies WordPress and its plugins set for visitors: only those declared, and only while their purpose is allowed.
 *
 * @package Lofte
 */

namespace Lofte;

defined( 'ABSPATH' ) || exit;

final class Cookies {
	/** Core's own for signing in and locked pages, which a policy without them would break (`known: wordpress` declares them). */
	const CORE = '/^(?:wordpress_test_cookie|wordpress_(?:sec_|logged_in_|rec_)?[0-9a-f]{32}|wp-(?:postpass_|resetpass-)[0-9a-f]{32}|wp-saving-post|wp-settings-(?:time-)?\d+|wordpress_[0-9a-f]{32}|lofte|lofte_on)$/D';

	public static function start(): void {
		header_register_callback( array( __CLASS__, 'hold' ) );
		add_filter( 'comment_form_default_fields', array( __CLASS__, 'comment_fields' ) );
		add_action( 'set_comment_cookies', array( __CLASS__, 'comment_cookies' ), 0 );
		add_filter( 'wp_consent_api_registered_' . plugin_basename( LOFTE_FILE ), '__return_true' );
		add_filter( 'wp_get_consent_type', array( __CLASS__, 'consent_type' ) );
		add_filter( 'wp_has_consent', array( __CLASS__, 'has_consent' ), 10, 2 );
	}

	/** Runs right before headers leave: the last word on every cookie. */
	public static function hold(): void {
		$cookies = array();
		$is_held = false;
		foreach ( headers_list() as $header ) {
			if ( 0 === stripos( $header, 'set-cookie:' ) ) {
				$line = trim( substr( $header, 11 ) );
				if ( self::may_set( $line ) ) {
					$cookies[] = $line;
				} else {
					$is_held = true;
				}
			}
		}
		if ( $is_held ) {
			header_remove( 'Set-Cookie' );
			foreach ( $cookies as $line ) {
				header( 'Set-Cookie: ' . $line, false );
			}
		}
	}

	public static function may_set( string $line ): bool {
		$name = rawurldecode( trim( (string) strtok( $line, '=' ) ) );
		if ( preg_match( self::CORE, $name ) || self::deletes( $line ) ) {
			return true;
		}
		$kit     = Kit::current();
		$purpose = $kit->cookie_purpose( $name );
		return null !== $purpose ? $kit->allows( $purpose ) : ( is_user_logged_in() && is_admin() );
	}

	private static function deletes( string $line ): bool {
		if ( preg_match( '/;\s*max-age\s*=\s*(-?\d+)/i', $line, $age ) ) {
			return (int) $age[1] <= 0;
		}
		return preg_match( '/;\s*expires\s*=\s*([^;]+)/i', $line, $match ) && strtotime( $match[1] ) < time();
	}

	/** Where the policy declares no comment cookies there is nothing to ask for. */
	public static function comment_fields( $fields ) {
		if ( null === Kit::current()->cookie_purpose( 'comment_author_' . COOKIEHASH ) ) {
			unset( $fields['cookies'] );
		}
		return $fields;
	}

	/** Both the box and the purpose; core looks at the box. */
	public static function comment_cookies(): void {
		$kit     = Kit::current();
		$purpose = $kit->cookie_purpose( 'comment_author_' . COOKIEHASH );
		if ( null === $purpose || ! $kit->allows( $purpose ) ) {
			remove_action( 'set_comment_cookies', 'wp_set_comment_cookies', 10 );
		}
	}

	public static function consent_type(): string {
		foreach ( Kit::current()->many( 'models' ) as $model ) {
			if ( 'opt_in' === $model ) {
				return 'optin';
			}
		}
		return Kit::current()->is_denied ? 'optin' : 'optout';
	}

	/** WP Consent API: its categories are answered by the purpose of the same name, or by none. */
	public static function has_consent( $has, $category ): bool {
		$names = apply_filters(
			'lofte_consent_categories',
			array( 'functional' => 'necessary', 'statistics' => 'statistics', 'statistics-anonymous' => 'statistics', 'marketing' => 'marketing', 'preferences' => 'preferences' )
		);
		return isset( $names[ $category ] ) && Kit::current()->allows( $names[ $category ] );
	}
}
