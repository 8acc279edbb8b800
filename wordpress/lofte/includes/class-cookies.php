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

	/**
	 * What this site may keep in a browser: core's by the names and lives they have here, then what plugins registered with the
	 * WP Consent API. `is_held`: without a declaration this plugin lets none of it out.
	 *
	 * @return array<int, array<string, mixed>>
	 */
	public static function may_keep(): array {
		$is_secure = 'https' === wp_parse_url( (string) get_option( 'siteurl' ), PHP_URL_SCHEME ) || force_ssl_admin();
		$now       = time();
		$signed_in = (int) apply_filters( 'auth_cookie_expiration', 14 * DAY_IN_SECONDS, get_current_user_id(), true ) + 12 * HOUR_IN_SECONDS;
		$comments  = (int) apply_filters( 'comment_cookie_lifetime', 30000000 );
		$found     = array();
		foreach (
			array(
				array( TEST_COOKIE, 'login', null ),
				array( $is_secure ? SECURE_AUTH_COOKIE : AUTH_COOKIE, 'login', $signed_in ),
				array( LOGGED_IN_COOKIE, 'login', $signed_in ),
				array( RECOVERY_MODE_COOKIE, 'login', (int) apply_filters( 'recovery_mode_cookie_length', WEEK_IN_SECONDS ) ),
				array( 'wp-resetpass-' . COOKIEHASH, 'login', null ),
				array( 'wp-postpass_' . COOKIEHASH, 'login', max( 0, (int) apply_filters( 'post_password_expires', $now + 10 * DAY_IN_SECONDS ) - $now ) ),
				array( 'wp-saving-post', 'login', DAY_IN_SECONDS ),
				array( 'wp-settings-1', 'login', YEAR_IN_SECONDS ),
				array( 'wp-settings-time-1', 'login', YEAR_IN_SECONDS ),
				array( 'wp_lang', 'functional', null ),
				array( 'comment_author_' . COOKIEHASH, 'comments', $comments ),
				array( 'comment_author_email_' . COOKIEHASH, 'comments', $comments ),
				array( 'comment_author_url_' . COOKIEHASH, 'comments', $comments ),
			) as list( $name, $kind, $seconds )
		) {
			$is_held = ! preg_match( self::CORE, $name ) && null === Kit::current()->cookie_purpose( $name );
			$found[] = array( 'name' => $name, 'storage' => 'cookie', 'kind' => $kind, 'life' => $seconds ? 'timed' : 'session', 'seconds' => $seconds ?: null, 'is_held' => $is_held );
		}
		$found[] = array( 'name' => 'wp-autosave-' . get_current_blog_id(), 'storage' => 'session', 'kind' => 'login', 'life' => 'session', 'seconds' => null, 'is_held' => false );
		return array_merge( $found, self::registered() );
	}

	/** @return array<int, array<string, mixed>> */
	private static function registered(): array {
		$found = array();
		foreach ( function_exists( 'wp_get_cookie_info' ) ? (array) wp_get_cookie_info() : array() as $name => $said ) {
			$said    = (array) $said;
			$expires = strtolower( trim( (string) ( $said['expires'] ?? '' ) ) );
			$local   = 0 === stripos( (string) ( $said['type'] ?? '' ), 'local' );
			// Plugins write a life in words: "1 year", "30 days", "session".
			$until   = preg_match( '/^\d+ *(?:second|minute|hour|day|week|month|year)s?$/D', $expires ) ? strtotime( '+' . $expires, 0 ) : false;
			$life    = 'session' === $expires ? 'session' : ( false === $until ? 'unknown' : 'timed' );
			$found[] = array( 'name' => (string) $name, 'storage' => $local ? 'local' : 'cookie', 'kind' => (string) ( $said['category'] ?? '' ), 'life' => $life, 'seconds' => 'timed' === $life ? $until : null, 'is_held' => false );
		}
		return $found;
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
			remove_action( 'set_comment_cookies', 'wp_consent_api_set_comment_cookies', 10 );
		}
	}
}
